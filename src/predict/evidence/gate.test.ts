import { describe, expect, test } from 'bun:test';
import { ByteReader, ByteWriter, seededRandom } from '../../kernel/index.ts';
import type { Level, StageName } from '../stage.ts';
import { Gate, gateStrata, stratumOf } from './gate.ts';

const random = seededRandom(23);

/** Whether the stage is trusted with a row of this expected count, and whether its word counts: as the pipeline asks. */
const trusts = (gate: Gate, stage: StageName, level: Level, mean: number): boolean => gate.trustedStrata(stage, level)[stratumOf(mean)] === 1;
const lets = (gate: Gate, stage: StageName, level: Level, mean: number): boolean => gate.openness(stage, level) !== 'none' && trusts(gate, stage, level, mean);

/** One half hour: 400 rows whose mean is said to be `given`, is made `made`, and truly is `truth`. */
function halfHour(gate: Gate, given: number, made: number, truth: number): void {
  const rows = 400;
  const counts = Float64Array.from({ length: rows }, () => random.poisson(truth));
  const column = (value: number): Float64Array => new Float64Array(rows).fill(value);
  gate.score('trees', 'site', column(given), column(made), counts);
  gate.watch('site', column(given), trusts(gate, 'trees', 'site', given) ? column(made) : column(given), counts);
}

const play = (gate: Gate, halfHours: number, given: number, made: number, truth: number): void => {
  for (let i = 0; i < halfHours; i++) halfHour(gate, given, made, truth);
};

describe('Gate', () => {
  test('lets a stage in where it gains, at that density and level alone', () => {
    const gate = new Gate();
    expect(lets(gate, 'trees', 'site', 0.2)).toBe(false);
    play(gate, 4, 0.2, 0.29, 0.29);
    expect(lets(gate, 'trees', 'site', 0.2)).toBe(false);
    play(gate, 8, 0.2, 0.29, 0.29);
    expect(lets(gate, 'trees', 'site', 0.2)).toBe(true);
    expect([lets(gate, 'trees', 'site', 2), lets(gate, 'trees', 'region', 0.2), lets(gate, 'season', 'site', 0.2)]).toEqual([false, false, false]);
    expect(gate.openness('trees', 'site')).toBe('some');
    const [door] = gate.doors();
    expect([door?.stage, door?.level, door?.meanBelow, door?.open]).toEqual(['trees', 'site', 0.3, true]);
    expect(door?.gain).toBeGreaterThan(0);
  });

  test('keeps out what is only noise, and what is worse', () => {
    let opened = 0;
    for (let run = 0; run < 20; run++) {
      const gate = new Gate();
      for (let i = 0; i < 48; i++) {
        halfHour(gate, 0.2, 0.2 * (1 + 0.05 * (random.next() - 0.5)), 0.2);
        if (lets(gate, 'trees', 'site', 0.2)) opened++;
      }
    }
    // Of 960 half hours, by chance.
    expect(opened).toBeLessThan(100);
    const gate = new Gate();
    play(gate, 60, 0.2, 0.3, 0.2);
    expect(lets(gate, 'trees', 'site', 0.2)).toBe(false);
  });

  test('shuts within hours when what gained for days begins to harm, and opens again when that is over', () => {
    const gate = new Gate();
    play(gate, 100, 0.2, 0.29, 0.29);
    expect(lets(gate, 'trees', 'site', 0.2)).toBe(true);
    play(gate, 6, 0.2, 0.29, 0.12);
    expect(lets(gate, 'trees', 'site', 0.2)).toBe(false);
    play(gate, 150, 0.2, 0.29, 0.29);
    expect(lets(gate, 'trees', 'site', 0.2)).toBe(true);
    expect(gate.fallenBack('site')).toBe(false);
  });

  test('falls back to the base rates as a whole when all together do worse', () => {
    const gate = new Gate();
    play(gate, 100, 0.2, 0.29, 0.29);
    const rows = new Float64Array(400).fill(0.29);
    const none = new Float64Array(400);
    for (let i = 0; i < 6; i++) gate.watch('site', new Float64Array(400).fill(0.2), rows, none);
    expect([gate.fallenBack('site'), gate.fallenBack('region')]).toEqual([true, false]);
    expect([lets(gate, 'trees', 'site', 0.2), trusts(gate, 'trees', 'site', 0.2), gate.openness('trees', 'site')]).toEqual([false, true, 'none']);
    play(gate, 12, 0.2, 0.29, 0.29);
    expect(lets(gate, 'trees', 'site', 0.2)).toBe(true);
  });

  test('comes back from bytes as it was', () => {
    const gate = new Gate();
    play(gate, 30, 0.2, 0.29, 0.29);
    const writer = new ByteWriter('FSTS', 1);
    gate.write(writer);
    const again = new Gate();
    const reader = new ByteReader(writer.finish(), 'FSTS', 1, 'a gate');
    again.read(reader);
    reader.end();
    expect(again.doors()).toEqual(gate.doors());
    expect(lets(again, 'trees', 'site', 0.2)).toBe(true);
  });
});

test('strata hold every mean', () => {
  expect([0, 0.003, 0.0299, 29, 30, Infinity].map(stratumOf)).toEqual([0, 1, 2, 8, 9, 9]);
  expect(gateStrata.at(-1)).toBe(Infinity);
});

test('a stage that speaks seldom is let in from the first, until it clearly loses', () => {
  const gate = new Gate();
  expect([gate.openness('bursts', 'site'), gate.openness('bursts', 'region'), gate.openness('trees', 'site')]).toEqual(['all', 'all', 'none']);
  const given = Float64Array.of(0.2);
  const made = Float64Array.of(2);
  gate.score('bursts', 'site', given, made, Float64Array.of(0));
  expect(lets(gate, 'bursts', 'site', 0.2)).toBe(true);
  for (let i = 0; i < 6; i++) gate.score('bursts', 'site', given, made, Float64Array.of(0));
  expect([lets(gate, 'bursts', 'site', 0.2), lets(gate, 'bursts', 'site', 2)]).toEqual([false, true]);
  for (let i = 0; i < 20; i++) gate.score('bursts', 'site', given, made, Float64Array.of(2));
  expect(lets(gate, 'bursts', 'site', 0.2)).toBe(true);
});
