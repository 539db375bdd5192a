/**
 * What a client has to say in its hello that it can, to be pushed what comes with it; the server says it back. Whoever says none of
 * these gets nothing of them unasked: what is asked about them is answered to anybody.
 */
const FEATURES = ['devices', 'rooms', 'windows'] as const;
export type Feature = (typeof FEATURES)[number];

/** Those of them that a client has said. */
export function featuresOf(said: readonly string[] = []): Feature[] {
  return FEATURES.filter((feature) => said.includes(feature));
}
