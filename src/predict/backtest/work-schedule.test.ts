import { expect, test } from 'bun:test';
import type { Work, WorkDone } from '../work.ts';
import { WorkSchedule } from './work-schedule.ts';
import type { Worked } from './work-schedule.ts';

const minuteMs = 60_000;

/** Asks for a piece every ten minutes; notes when each was adopted. */
class Asker implements Worked {
  readonly adopted: string[] = [];
  nowMs = 0;

  work(nowMs: number): Work[] {
    this.nowMs = nowMs;
    return nowMs % (10 * minuteMs) === 0 ? [{ kind: 'series', endMs: nowMs, series: [], holidays: [] }] : [];
  }

  adopt(done: WorkDone): void {
    // Adopted before the minute's own question.
    this.adopted.push(`${done.endMs / minuteMs} at ${this.nowMs / minuteMs + 1}`);
  }
}

async function play(doWork: (work: Work) => Promise<WorkDone>): Promise<{ readonly asker: Asker; readonly schedule: WorkSchedule }> {
  const asker = new Asker();
  const schedule = new WorkSchedule(doWork);
  for (let minute = 1; minute <= 65; minute++) await schedule.turn(minute * minuteMs, asker);
  await schedule.end();
  return { asker, schedule };
}

const doneOf = (work: Work): WorkDone => ({ kind: 'series', endMs: work.endMs, fits: [] });

test('work is adopted at the same minute, in the same order, however long it takes', async () => {
  const expected = ['10 at 40', '20 at 50', '30 at 60'];
  expect((await play((work) => Promise.resolve(doneOf(work)))).asker.adopted).toEqual(expected);
  let delay = 30;
  const slow = await play(async (work) => {
    // The first takes longest.
    await new Promise((resolve) => { setTimeout(resolve, delay -= 5); });
    return doneOf(work);
  });
  expect(slow.asker.adopted).toEqual(expected);
  expect(slow.schedule.counts).toEqual({ begun: 6, lost: 0 });
});

test('work that is lost is counted and not adopted', async () => {
  const { asker, schedule } = await play((work) => (work.endMs === 20 * minuteMs ? Promise.reject(new Error('its thread died')) : Promise.resolve(doneOf(work))));
  expect(asker.adopted).toEqual(['10 at 40', '30 at 60']);
  expect(schedule.counts).toEqual({ begun: 6, lost: 1 });
});
