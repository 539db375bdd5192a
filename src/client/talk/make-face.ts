import type { Histories } from '../history/histories.ts';
import { LastServer } from '../last-server.ts';
import type { Settings } from '../settings.ts';
import { DEFAULT_OPTIONS_2 } from '../v2/events.ts';
import type { MakeFace } from './face.ts';
import { Face1 } from './face1.ts';
import { Face2 } from './face2.ts';

/** The face of the protocol's version that the settings name. */
export function makeFaceFor(settings: Settings, memory: Histories): MakeFace {
  const { directory, protocol, servers, tls } = settings;
  const lastServer = LastServer.in(directory, servers);
  const options = { ...DEFAULT_OPTIONS_2, servers, tls, lastServer, memory };
  return (display) => (protocol === 1 ? new Face1(options, display) : new Face2(options, display));
}
