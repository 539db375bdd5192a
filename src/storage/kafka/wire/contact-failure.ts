import { TimeoutError } from '@platformatic/kafka';
import type { Config } from '../../../config/config.ts';

/** Why a broker could not be talked to. */
export interface ContactFailure {
  /** True: the settings and this Kafka do not fit, and will not by waiting. False: nobody is there. */
  readonly isSetting: boolean;
  /** A sentence that begins with `The broker at …` or the like, and says what to change. */
  readonly sentence: string;
}

/** At which point it failed: before the broker had said anything, while it looked at the password, at the first question. */
export type ContactStep = 'connect' | 'versions' | 'login' | 'metadata';

/**
 * What a failure of the network, of TLS or of SASL means to an operator.
 * @param address `host:port` as it was tried
 */
export function contactFailure(
  address: string,
  step: ContactStep,
  error: unknown,
  { kafka: { tls, sasl } }: Config,
): ContactFailure {
  const facts = factsOf(error);
  const setting = (sentence: string): ContactFailure => ({ isSetting: true, sentence });
  const nobody = (sentence: string): ContactFailure => ({ isSetting: false, sentence });
  const has = (...wanted: string[]) => wanted.some((fact) => facts.has(fact));

  const certificate = certificateSentence(address, facts, tls?.caFile ?? null);
  if (certificate !== null) return setting(certificate);
  if (facts.text.includes('Broker requires TLS')) {
    return setting(
      `The broker at ${address} speaks TLS: set MILENA_KAFKA_TLS=true, and MILENA_KAFKA_TLS_CA where its authority is your own.`,
    );
  }
  if (
    tls !== null &&
    (facts.text.includes('TLS handshake failed') || has('EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER'))
  ) {
    return setting(
      `The broker at ${address} does not speak TLS: leave MILENA_KAFKA_TLS and its files out, or name the port that does.`,
    );
  }
  if (step !== 'connect' && facts.hasTimedOut) {
    return nobody(
      `What listens at ${address} takes connections and answers nothing: a broker that hangs, was stopped (SIGSTOP), or has far too ` +
        'much to do. Look at its process and its log, and start it anew.',
    );
  }
  if (has('UNSUPPORTED_SASL_MECHANISM')) {
    return setting(
      `The broker at ${address} does not know ${sasl?.mechanism}: set MILENA_KAFKA_SASL_MECHANISM to ` +
        `${facts.mechanisms.length > 0 ? facts.mechanisms.join(' or ') : 'another one'}.`,
    );
  }
  if (has('ILLEGAL_SASL_STATE')) {
    return setting(
      `The broker at ${address} asks for no password there: leave MILENA_KAFKA_SASL_MECHANISM and its user and ` +
        'password out, or name the port that does.',
    );
  }
  if (has('SASL_AUTHENTICATION_FAILED') || (step === 'login' && has('PLT_KFK_AUTHENTICATION'))) {
    return setting(
      `Kafka refused the credentials of ${sasl?.username} at ${address} (${sasl?.mechanism}): correct ` +
        'MILENA_KAFKA_SASL_USERNAME and MILENA_KAFKA_SASL_PASSWORD.',
    );
  }
  if (step === 'metadata' && sasl === null && facts.text.includes('closed')) {
    return setting(
      `The broker at ${address} ends connections without a login: set MILENA_KAFKA_SASL_MECHANISM, ` +
        'MILENA_KAFKA_SASL_USERNAME and MILENA_KAFKA_SASL_PASSWORD.',
    );
  }
  if (has('ENOTFOUND', 'EAI_AGAIN')) return nobody(`The name in ${address} is not known.`);
  if (has('ECONNREFUSED')) return nobody(`Nothing listens at ${address}.`);
  if (step === 'connect') {
    return nobody(`${address} cannot be reached: ${facts.system ?? 'no answer within 3 s'}.`);
  }
  if (has('UNSUPPORTED_VERSION')) {
    return setting(`The broker at ${address} is older than Kafka 2.4, and Milena needs Kafka 4.0 or later.`);
  }
  return nobody(`What listens at ${address} does not answer as Kafka does: ${facts.last}`);
}

/** Codes of Node for certificates that were not taken, by either side. */
function certificateSentence(address: string, facts: Facts, caFile: string | null): string | null {
  const by =
    caFile === null
      ? "the system's authorities (MILENA_KAFKA_TLS_CA names others)"
      : `MILENA_KAFKA_TLS_CA=${caFile}`;
  for (const code of facts.codes) {
    if (code === 'CERT_HAS_EXPIRED') return `The certificate of the broker at ${address} has run out.`;
    if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
      return `The certificate of the broker at ${address} is for another name: ${facts.last}`;
    }
    if (UNTRUSTED.test(code)) {
      return `The certificate of the broker at ${address} is signed by none of ${by}: set MILENA_KAFKA_TLS_CA to its authority's.`;
    }
    if (/ALERT_(CERTIFICATE|BAD_CERTIFICATE|UNKNOWN_CA)|HANDSHAKE_FAILURE/.test(code)) {
      return (
        `The broker at ${address} does not take our certificate, or wants one: set MILENA_KAFKA_TLS_CERT and ` +
        'MILENA_KAFKA_TLS_KEY to one that it trusts.'
      );
    }
  }
  return null;
}

const UNTRUSTED =
  /SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|CERT_UNTRUSTED|CERT_SIGNATURE_FAILURE|INVALID_CA/;

class Facts {
  readonly codes = new Set<string>();
  readonly mechanisms: string[] = [];
  text = '';
  /** A question was not answered in time. */
  hasTimedOut = false;
  /** What the system said, if it said something. */
  system: string | null = null;
  /** The sentence at the bottom. */
  last = '';

  has(code: string): boolean {
    return this.codes.has(code);
  }
}

/** Everything that an error and its causes say. */
function factsOf(error: unknown): Facts {
  const facts = new Facts();
  const visit = (one: unknown, depth: number): void => {
    if (!(one instanceof Error) || depth > 10) return;
    facts.text += `${one.message}\n`;
    facts.last = one.message;
    if (one instanceof TimeoutError) facts.hasTimedOut = true;
    for (const field of ['code', 'apiId'] as const) {
      const value: unknown = Reflect.get(one, field);
      if (typeof value === 'string') facts.codes.add(value);
    }
    if (Reflect.get(one, 'syscall') !== undefined) facts.system = one.message;
    const response: unknown = Reflect.get(one, 'response');
    if (typeof response === 'object' && response !== null && 'mechanisms' in response) {
      if (Array.isArray(response.mechanisms)) facts.mechanisms.push(...response.mechanisms.map(String));
    }
    if (one instanceof AggregateError) for (const part of one.errors) visit(part, depth + 1);
    visit(one.cause, depth + 1);
  };
  visit(error, 0);
  return facts;
}
