/**
 * Politeness without a network: an origin with so many workers and one queue, people who come at random, and the product's own `Budget`, asked
 * every 20 ms as the generator does and given an endless list of first copies. Discrete events on a manual clock; people's arrivals and service
 * times are drawn before, so that the same people come with generation on and off and only generation makes the difference.
 */
import { Budget, type BudgetLimits } from '../../src/generate/budget.ts';
import { ManualClock, seededRandom, type Random } from '../../src/kernel/index.ts';
import { quantile } from '../load/samples.ts';

export interface QueueFacts {
  readonly workers: number;
  /** Mean time a request is served. */
  readonly serviceMs: number;
  /** How service times differ: all alike, log-normal with half the mean as deviation, or exponential. */
  readonly service: 'fixed' | 'lognormal' | 'exponential';
  /** People's requests a second. */
  readonly peoplePerSecond: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly seed: number;
  readonly limits: BudgetLimits;
}

export interface QueueResult {
  readonly peopleP50Ms: number;
  readonly peopleP95Ms: number;
  readonly generatedPerSecond: number;
  /** Most generated requests that began within one second. */
  readonly mostInASecond: number;
}

interface Request {
  readonly arrivedMs: number;
  readonly serviceMs: number;
  readonly generated: boolean;
}

const pumpMs = 20;
const reportMs = 500;
const windowMs = 10_000;

export function simulateQueue(facts: QueueFacts, generating: boolean): QueueResult {
  const clock = new ManualClock();
  const budget = new Budget(facts.limits, clock);
  const people = drawPeople(facts);
  const ownService = seededRandom(facts.seed + 1);
  const waiting: Request[] = [];
  const ends: { readonly atMs: number; readonly request: Request }[] = [];
  const seen: { readonly atMs: number; readonly latencyMs: number }[] = [];
  const latencies: number[] = [];
  const starts: number[] = [];
  let usualP95Ms: number | undefined;
  let next = 0;
  const serve = (nowMs: number): void => {
    while (ends.length < facts.workers && waiting.length > 0) {
      const request = waiting.shift();
      if (!request) return;
      ends.push({ atMs: nowMs + request.serviceMs, request });
      ends.sort((a, b) => a.atMs - b.atMs);
    }
  };
  const report = (nowMs: number): void => {
    while (seen[0] && seen[0].atMs < nowMs - windowMs) seen.shift();
    const p95 = seen.length < 20 ? undefined : quantile(Float64Array.from(seen, ({ latencyMs }) => latencyMs).sort(), 0.95);
    // As edges learn it, with a half-life of ten minutes.
    if (p95 !== undefined) usualP95Ms = usualP95Ms === undefined ? p95 : usualP95Ms + (1 - 0.5 ** (reportMs / 600_000)) * (p95 - usualP95Ms);
    budget.observeOrigin({
      atMs: clock.nowMs(), view: { state: 'healthy', share: 0, sinceMs: clock.nowMs() }, latencyP95Ms: p95, usualP95Ms, requestsPerSecond: seen.length / (windowMs / 1000),
    });
  };
  let nextPumpMs = 0;
  let nextReportMs = reportMs;
  for (;;) {
    const arrival = people[next]?.arrivedMs ?? Number.POSITIVE_INFINITY;
    const nowMs = Math.min(arrival, ends[0]?.atMs ?? Number.POSITIVE_INFINITY, nextPumpMs, nextReportMs);
    if (nowMs >= facts.seconds * 1000) break;
    clock.advance(nowMs - clock.monotonicMs());
    while (ends[0] && ends[0].atMs <= nowMs) {
      const { request } = ends.shift() ?? {};
      if (!request) break;
      const latencyMs = nowMs - request.arrivedMs;
      if (request.generated) budget.finish({ latencyMs }, '/pages');
      else {
        seen.push({ atMs: nowMs, latencyMs });
        if (request.arrivedMs >= facts.warmUpSeconds * 1000) latencies.push(latencyMs);
      }
    }
    while (people[next] && (people[next]?.arrivedMs ?? 0) <= nowMs) waiting.push(people[next++] ?? never);
    if (nowMs >= nextPumpMs) {
      nextPumpMs += pumpMs;
      while (generating && budget.tryTake('first')) {
        starts.push(nowMs);
        waiting.push({ arrivedMs: nowMs, serviceMs: draw(ownService, facts), generated: true });
      }
    }
    if (nowMs >= nextReportMs) {
      nextReportMs += reportMs;
      report(nowMs);
    }
    serve(nowMs);
  }
  const sorted = Float64Array.from(latencies).sort();
  const late = starts.filter((atMs) => atMs >= facts.warmUpSeconds * 1000);
  return {
    peopleP50Ms: quantile(sorted, 0.5), peopleP95Ms: quantile(sorted, 0.95), generatedPerSecond: late.length / (facts.seconds - facts.warmUpSeconds), mostInASecond: mostWithin(starts, 1000),
  };
}

const never: Request = { arrivedMs: 0, serviceMs: 0, generated: false };

function drawPeople(facts: QueueFacts): readonly Request[] {
  const random = seededRandom(facts.seed);
  const list: Request[] = [];
  for (let atMs = random.exponential(1000 / facts.peoplePerSecond); atMs < facts.seconds * 1000; atMs += random.exponential(1000 / facts.peoplePerSecond)) {
    list.push({ arrivedMs: atMs, serviceMs: draw(random, facts), generated: false });
  }
  return list;
}

function draw(random: Random, { service, serviceMs }: QueueFacts): number {
  if (service === 'fixed') return serviceMs;
  if (service === 'exponential') return random.exponential(serviceMs);
  const sigma = Math.sqrt(Math.log(1.25));
  return serviceMs * Math.exp(sigma * Math.sqrt(2 * random.exponential(1)) * Math.cos(2 * Math.PI * random.next()) - sigma ** 2 / 2);
}

/** Most of the ascending times that lie within one span. */
export function mostWithin(times: readonly number[], spanMs: number): number {
  let most = 0;
  let from = 0;
  for (let to = 0; to < times.length; to++) {
    while ((times[to] ?? 0) - (times[from] ?? 0) >= spanMs) from++;
    most = Math.max(most, to - from + 1);
  }
  return most;
}
