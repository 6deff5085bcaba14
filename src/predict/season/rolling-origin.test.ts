import { expect, test } from 'bun:test';
import type { Model } from './history.ts';
import { cheapModels } from './models.ts';
import { chooseModel } from './rolling-origin.ts';

const counts = Float64Array.from({ length: 240 }, (_, step) => 50 + 40 * Math.sin((2 * Math.PI * step) / 48));
const history = { counts, endMs: Date.UTC(2024, 0, 6), stepMin: 30, holidays: [] };
const failing: Model = { name: 'ets', stepsMin: 2, path: () => { throw new Error('no model found'); } };
const senseless: Model = { name: 'mstl', stepsMin: 2, path: (_history, behind, ahead) => new Float64Array(behind + ahead).fill(NaN) };

test('models that fail or tell nonsense are left out, and the others compete', () => {
  const { model, losses, path } = chooseModel(history, [...cheapModels, failing, senseless], 48, 48);
  expect(['day', 'naive-day']).toContain(model);
  expect(losses.map((loss) => loss.model)).toEqual(['flat', 'drift', 'day', 'naive-day']);
  expect(path.every(Number.isFinite)).toBe(true);
});

test('a model that was given and fails is flat', () => {
  for (const model of [failing, senseless]) expect(chooseModel(history, [model], 48, 48)).toEqual({ model: 'flat', losses: [], path: new Float64Array(96) });
});

test('a model is judged only by what it could not know', () => {
  // Knows the series by heart up to the end of the history it is given, and says ever more of what comes after.
  const boastful: Model = { name: 'arima', stepsMin: 2, path: (given, behind, ahead) => Float64Array.from({ length: behind + ahead }, (_, i) => (i < behind ? Math.log(given.counts[given.counts.length - behind + i] ?? 1) : i)) };
  const { model, losses } = chooseModel(history, [...cheapModels, boastful], 48, 48);
  expect(model).not.toBe('arima');
  expect(losses.find((loss) => loss.model === 'arima')?.loss).toBeGreaterThan(losses[0]?.loss ?? 0);
});
