import type { Histories } from '../history/histories.ts';
import type { Settings } from '../settings.ts';
import { DEFAULT_OPTIONS_2 } from '../v2/events.ts';
import type { MakeFace } from './face.ts';
import { Face1 } from './face1.ts';
import { Face2 } from './face2.ts';

/** The face of the protocol's version that the settings name. */
export function makeFaceFor({ address, tls, protocol }: Settings, memory: Histories): MakeFace {
  const options = { ...DEFAULT_OPTIONS_2, address, tls, memory };
  return (display) => (protocol === 1 ? new Face1(options, display) : new Face2(options, display));
}
