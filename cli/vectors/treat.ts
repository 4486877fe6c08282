import { LAGO_COUNTING } from './lago-counting.ts';
import { LAGO_LEVELS } from './lago-levels.ts';
import { LAGO_MODELS } from './lago-models.ts';
import { LAGO_PERCENTAGE } from './lago-percentage.ts';
import { LAGO_PERIODS } from './lago-periods.ts';
import { LATER, RULED_OUT } from './later.ts';
import { PEER_BOUNDS } from './peer-bounds.ts';
import { PEER_DELTAS } from './peer-deltas.ts';
import { PEER_MODELS } from './peer-models.ts';
import { PEER_PERIODS } from './peer-periods.ts';
import { PEER_ROUNDING } from './peer-rounding.ts';
import type { Mapper, Treatment, Vector } from './vector.ts';

const OF_LAGO: Readonly<Record<string, Mapper>> = {
  ...LAGO_MODELS,
  ...LAGO_COUNTING,
  ...LAGO_LEVELS,
  ...LAGO_PERCENTAGE,
  ...LAGO_PERIODS,
};
const OF_PEERS: Readonly<Record<string, Mapper>> = {
  ...PEER_MODELS,
  ...PEER_ROUNDING,
  ...PEER_DELTAS,
  ...PEER_BOUNDS,
  ...PEER_PERIODS,
};

/** How a vector is treated. Throws where no mapper knows its model: nothing is left out in silence. */
export function treat(vector: Vector): Treatment {
  const own = vector.id.startsWith('lago-') ? OF_LAGO : OF_PEERS;
  const mapper = own[vector.model] ?? LATER[vector.model] ?? RULED_OUT[vector.model];
  if (mapper === undefined) throw new Error(`${vector.id}: no mapper knows the model ${vector.model}`);
  return mapper(vector);
}
