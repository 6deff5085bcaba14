import { describe, expect, test } from 'bun:test';
import { ByteReader, ByteWriter, seededRandom } from '../../kernel/index.ts';
import { Opinions } from './opinions.ts';

/** Rows of which the truth is e^`truth` times what was expected, once dense and once sparse. */
function play(opinions: Opinions, rounds: number, truth: number, boosted: number, forest: number, mean: number): void {
  const random = seededRandom(4);
  for (let round = 0; round < rounds; round++) {
    const offsets = new Float64Array(200).fill(Math.log(mean));
    const counts = offsets.map(() => {
      return random.poisson(mean * Math.exp(truth));
    });
    opinions.score(offsets, new Float64Array(200).fill(boosted), new Float64Array(200).fill(forest), counts);
  }
}

describe('Opinions', () => {
  test('believe who was right, at each density for itself', () => {
    const opinions = new Opinions();
    play(opinions, 40, 0.8, 0.8, -0.5, 0.5);
    play(opinions, 40, 0, 0.8, 0.8, 5);
    play(opinions, 40, 0.8, 0, 0.8, 0.05);
    expect([opinions.weigh(0.5, 2, 10), opinions.weigh(5, 2, 10)]).toEqual([2, 0]);
    expect(opinions.weigh(0.05, 0, 1)).toBeGreaterThanOrEqual(0.75);
    // Nothing is known of this one, so what is tried first.
    expect(opinions.weigh(0.001, 4, 8)).toBe(5);
    expect(opinions.all().map(({ boosted, forest }) => [boosted, forest])[4]).toEqual([1, 0]);
    expect(opinions.all().length).toBe(7);
  });

  test('change when the world does, and are kept', () => {
    const opinions = new Opinions();
    play(opinions, 40, 0.5, 0.5, 0, 0.5);
    play(opinions, 200, 0, 0.5, 0, 0.5);
    expect(opinions.weigh(0.5, 1, 0)).toBe(0);
    const writer = new ByteWriter('TEST', 1);
    opinions.write(writer);
    const copy = new Opinions();
    copy.read(new ByteReader(writer.finish(), 'TEST', 1, 'opinions'));
    expect(copy.all()).toEqual(opinions.all());
  });
});
