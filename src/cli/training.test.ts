import { expect, test } from 'bun:test';
import { silentLog, systemClock } from '../kernel/index.ts';
import type { Work, WorkDone } from '../predict/index.ts';
import { Training } from './training.ts';

const series = (endMs: number): Work => ({ kind: 'series', endMs, series: [], holidays: [] });

test('what is due is done in another thread and adopted; what fails is counted, and the next piece goes on', async () => {
  const due: Work[][] = [[series(300_000)], [{ kind: 'train' } as unknown as Work], [series(600_000)], []]; // work without its rows can't be done
  const adopted: WorkDone[] = [];
  await using training = new Training({ work: () => due.shift() ?? [], adopt: (done) => { adopted.push(done); } }, systemClock, silentLog);
  for (let minute = 0; minute < 4; minute++) await training.run();
  expect(adopted.map(({ kind }) => kind)).toEqual(['series', 'series']);
  expect(training.counts).toMatchObject({ done: 2, lost: 1 });
});
