/** Training of the learned models, as work that is done elsewhere. */

export interface TrainWork {
  readonly kind: 'train';
  readonly seed: number;
  readonly endMs: number;
}

export interface TrainDone {
  readonly kind: 'train';
  readonly endMs: number;
}

export async function train(work: TrainWork): Promise<TrainDone> {
  return Promise.resolve({ kind: 'train', endMs: work.endMs });
}
