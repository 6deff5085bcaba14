/**
 * `/metrics` in Prometheus text: the numbers of the status, under names from one closed catalogue. `docs/metrics.md`
 * explains each; a test holds the two together. What is not known yet is left out rather than shown as zero.
 */
import { Counter, Gauge, Registry } from 'prom-client';
import type { Status } from './status.ts';

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [value: number | undefined, labels?: Labels];

interface Metric {
  readonly kind: 'counter' | 'gauge';
  readonly help: string;
  readonly labels: readonly string[];
  readonly read: (status: Status) => readonly Sample[];
}

const originStates = ['healthy', 'strained', 'failing', 'down', 'recovering'] as const;

const counter = (help: string, labels: readonly string[], read: Metric['read']): Metric => ({ kind: 'counter', help, labels, read });
const gauge = (help: string, labels: readonly string[], read: Metric['read']): Metric => ({ kind: 'gauge', help, labels, read });
const one = (read: (status: Status) => number | undefined) => (status: Status): readonly Sample[] => [[read(status)]];
const by = (label: string, read: (status: Status) => Readonly<Record<string, number | undefined>>) => (status: Status): readonly Sample[] =>
  Object.entries(read(status)).map(([name, value]): Sample => [value, { [label]: name }]);

export const metrics = {
  foreshadow_info: gauge('Always 1; the version runs as a label.', ['version', 'site'], (s) => [[1, { version: s.version, site: s.site }]]),
  foreshadow_uptime_seconds: gauge('Since the brain started.', [], one((s) => s.uptimeS)),

  foreshadow_answers_total: counter('Answers to users since the edge started, by region, source and reason.', ['region', 'source', 'reason'],
    (s) => s.regions.flatMap((r) => r.answers.map(({ source, reason, count }): Sample => [count, { region: r.name, source, reason }]))),
  foreshadow_failed_answers_total: counter('Answers with status 5xx that Foreshadow itself had to give.', ['region'], (s) => s.regions.map((r): Sample => [r.failed, { region: r.name }])),
  foreshadow_edge_connections: gauge('Open connections of users.', [], one((s) => s.edge?.connections)),
  foreshadow_edge_catalog_version: gauge('Catalog version the edge has applied whole.', [], one((s) => s.edge?.local.appliedVersion)),
  foreshadow_edge_local_records: gauge('Copies in the edge\'s local store.', [], one((s) => s.edge?.local.records)),
  foreshadow_edge_local_bytes: gauge('Bytes of bodies in the edge\'s local store.', [], one((s) => s.edge?.local.bytes)),
  foreshadow_edge_local_corrupt_total: counter('Corrupt bodies met and dropped in the edge\'s local store.', [], one((s) => s.edge?.local.corrupt)),
  foreshadow_edge_captures_total: counter('Passing answers considered for keeping, by what became of them.', ['result'], by('result', (s) => s.edge?.captures ?? {})),

  foreshadow_origin_state: gauge('1 for the state the origin is in, 0 for the others.', ['state'],
    (s) => (s.origin ? originStates.map((state): Sample => [s.origin?.view.state === state ? 1 : 0, { state }]) : [])),
  foreshadow_origin_shadow_share: gauge('Part of eligible traffic that goes to shadows, 0 to 1.', [], one((s) => s.origin?.view.share)),
  foreshadow_origin_latency_p95_seconds: gauge('95th percentile of people\'s requests at the origin over 10 s.', [], one((s) => seconds(s.origin?.latencyP95Ms))),
  foreshadow_origin_usual_latency_p95_seconds: gauge('What that percentile is when the origin is well.', [], one((s) => seconds(s.origin?.usualP95Ms))),
  foreshadow_origin_requests_per_second: gauge('People\'s requests that reach the origin, over 10 s.', [], one((s) => s.origin?.requestsPerSecond)),
  foreshadow_origin_in_flight: gauge('Requests the origin is working on.', [], one((s) => s.origin?.inFlight)),
  foreshadow_origin_attempts_total: counter('Attempts at the origin by what became of them.', ['outcome'], by('outcome', (s) => s.edge?.origin.attempts ?? {})),

  foreshadow_demand_requests_total: counter('GET and HEAD requests counted, by who asks.', ['kind'],
    by('kind', ({ demand }) => ({ person: demand.person, crawler: demand.crawler, prefetch: demand.prefetch, generated: demand.generated }))),
  foreshadow_demand_overflow_total: counter('People\'s requests whose key had no room.', [], one((s) => s.demand.overflow)),
  foreshadow_demand_suspect_total: counter('Requests of visitors who go through more resources than people do; their steps are not learned from.', [], one((s) => s.demand.suspect)),
  foreshadow_forecaster_keys: gauge('Resources the forecaster knows.', [], one((s) => s.forecaster.keys)),
  foreshadow_forecaster_bytes: gauge('Memory the forecaster takes, roughly.', [], one((s) => s.forecaster.bytes)),
  foreshadow_forecaster_training_total: counter('Pieces of training of the forecast\'s models, by what became of them.', ['outcome'], by('outcome', ({ forecaster: { training } }) => ({ done: training.done, lost: training.lost }))),
  foreshadow_forecaster_fallen_back: gauge('1 for the level (site, region) at which all learned parts are left out for now.', ['level'], (s) => s.forecaster.fallenBack.map((level): Sample => [1, { level }])),

  foreshadow_coverage_fresh_ratio: gauge('Part of the demand expected in 15 minutes that has a copy within freshness.target.', [], one((s) => s.coverage.fresh)),
  foreshadow_coverage_any_ratio: gauge('Part of the demand expected in 15 minutes that has a copy of any age.', [], one((s) => s.coverage.any)),
  foreshadow_expected_requests_per_minute: gauge('Requests expected a minute, over the next 15 minutes.', [], one((s) => s.coverage.demandPerMinute)),

  foreshadow_catalog_version: gauge('Newest catalog version.', [], one((s) => s.catalog.version)),
  foreshadow_catalog_records: gauge('Copies in the newest catalog version.', [], one((s) => s.catalog.records)),
  foreshadow_catalog_corrupt_total: counter('Damaged catalog files met.', [], one((s) => s.catalog.corrupt)),

  foreshadow_generator_rate_per_second: gauge('Requests a second generation may make of the origin now.', [], one((s) => s.generator.budget.ratePerSecond)),
  foreshadow_generator_rate_limit_per_second: gauge('The most it may ever make: budgets.originRequests.', [], one((s) => s.generator.budget.limitPerSecond)),
  foreshadow_generator_in_flight: gauge('Fetches under way.', [], one((s) => s.generator.budget.inUse)),
  foreshadow_generator_paused: gauge('1 for the reason generation rests; absent while it does not.', ['reason'],
    ({ generator: { budget } }) => (budget.pause === undefined ? [] : [[1, { reason: budget.pause }]])),
  foreshadow_generator_fetches_total: counter('Fetches made of the origin for copies.', [], one((s) => s.generator.fetched)),
  foreshadow_generator_admitted_total: counter('New or changed copies, by how they came.', ['by'], by('by', (s) => s.generator.admitted)),
  foreshadow_generator_freshened_total: counter('Copies renewed without a new body, by how.', ['by'], by('by', (s) => s.generator.freshened)),
  foreshadow_generator_refused_total: counter('What did not become a copy, by reason.', ['reason'], by('reason', (s) => s.generator.refused)),
  foreshadow_generator_removed_total: counter('Copies removed: gone at the origin or invalidated.', [], one((s) => s.generator.removed)),
  foreshadow_generator_evicted_total: counter('Copies removed to stay within budgets.storage.', [], one((s) => s.generator.evicted)),
  foreshadow_generator_plan_number: gauge('Number of the newest plan.', [], one((s) => s.generator.plan?.number)),
  foreshadow_generator_planned: gauge('Items of the newest plan, by why.', ['why'], by('why', (s) => s.generator.plan?.planned ?? {})),
  foreshadow_generator_not_planned: gauge('Candidates the newest plan left out, by reason.', ['reason'], by('reason', (s) => s.generator.plan?.refused ?? {})),
  foreshadow_generator_plan_seconds: gauge('What making the newest plan took.', [], one((s) => seconds(s.generator.plan?.durationMs))),
  foreshadow_generator_captures_dropped_total: counter('Captures not considered because too many waited.', [], one((s) => s.generator.captures.dropped)),
  foreshadow_generator_discovered: gauge('Resources known that nobody has asked for, by where they were found.', ['source'],
    by('source', ({ generator: { discovered } }) => ({ asset: discovered.asset, feed: discovered.feed, sitemap: discovered.sitemap, link: discovered.link }))),
  foreshadow_generator_discovery_refused_total: counter('Discoveries that had no room.', [], one((s) => s.generator.discovered.refused)),
  foreshadow_generator_publish_failures_total: counter('Catalog versions that could not be published.', [], one((s) => s.generator.publishFailures)),

  foreshadow_feed_heard_timestamp_seconds: gauge('When the feed was last heard to be current, Unix time.', ['feed'],
    (s) => s.generator.feeds.map((f): Sample => [seconds(f.heardMs), { feed: f.key }])),
  foreshadow_feed_max_age_seconds: gauge('After so long without word its values are no longer shown.', ['feed'],
    (s) => s.generator.feeds.map((f): Sample => [f.maxAgeMs / 1000, { feed: f.key }])),
  foreshadow_feed_up: gauge('1 while the last attempt brought a good value or confirmed it.', ['feed'],
    (s) => s.generator.feeds.map((f): Sample => [f.state === 'ok' ? 1 : 0, { feed: f.key }])),
  foreshadow_feed_polls_total: counter('Requests, connections, or looks at a file.', ['feed'], (s) => s.generator.feeds.map((f): Sample => [f.polls, { feed: f.key }])),
  foreshadow_feed_changes_total: counter('Times the document became another one.', ['feed'], (s) => s.generator.feeds.map((f): Sample => [f.changes, { feed: f.key }])),
  foreshadow_feed_refused_total: counter('Documents and attempts that were refused, by why.', ['feed', 'reason'],
    (s) => s.generator.feeds.flatMap((f) => Object.entries(f.refused).map(([reason, count]): Sample => [count, { feed: f.key, reason }]))),
  foreshadow_fillings: gauge('What fills slots, ready at hand.', [], one((s) => s.generator.fillings.fillings)),
  foreshadow_fillings_failing: gauge('Fillings that can not be rendered now; the last good ones stay.', [], one((s) => s.generator.fillings.failing)),
  foreshadow_fillings_left: gauge('Resources with slots that have no fillings for want of room.', [], one((s) => s.generator.fillings.left)),
  foreshadow_fillings_rendered_total: counter('Fillings rendered since the start.', [], one((s) => s.generator.fillings.rendered)),
  foreshadow_fillings_prepared_total: counter('Fillings rendered before their values came.', [], one((s) => s.generator.fillings.preparedMade)),
  foreshadow_fillings_settled_total: counter('Changes of feeds whose fillings have been handed over for publication.', [], one((s) => s.generator.fillings.settledChanges)),
  foreshadow_fillings_settle_seconds_total: counter('How long that took, all changes together.', [], one((s) => s.generator.fillings.settledMs / 1000)),
  foreshadow_fillings_prepared_hits_total: counter('Values that were forecast and had been rendered before they came.', [], one((s) => s.generator.fillings.preparedHits)),
  foreshadow_fillings_troubles_total: counter('Times a filling could not be rendered, by why.', ['reason'], by('reason', (s) => s.generator.fillings.troubles)),
  foreshadow_fidelity_ratio: gauge('How true shadows are to the live pages of a route, 0 to 1.', ['route'],
    (s) => s.generator.fidelity.routes.map((r): Sample => [r.score, { route: r.match }])),
  foreshadow_fidelity_samples_total: counter('Comparisons of shadows with live pages.', ['route'], (s) => s.generator.fidelity.routes.map((r): Sample => [r.samples, { route: r.match }])),
  foreshadow_codings_bodies_total: counter('Bodies that were made ready in content codings.', [], one((s) => s.generator.codings.bodies)),
  foreshadow_companions_waiting: gauge('Changed pages that wait for their assets to be published with them.', [], one((s) => s.generator.companions.waiting)),
  foreshadow_companions_late_total: counter('Changed pages published without an asset that did not come in time.', [], one((s) => s.generator.companions.late)),

  foreshadow_store_blobs: gauge('Bodies in the durable store.', [], one((s) => s.store.blobs)),
  foreshadow_store_bytes: gauge('Bytes of bodies in the durable store, each counted once.', [], one((s) => s.store.bytes)),
  foreshadow_store_corrupt_total: counter('Corrupt bodies met in the durable store.', [], one((s) => s.store.corrupt)),
  foreshadow_store_repaired_total: counter('Corrupt bodies replaced from another volume.', [], one((s) => s.store.repaired)),
  foreshadow_store_volume_up: gauge('1 while the volume works.', ['volume', 'state'], (s) => s.store.volumes.map((v): Sample => [v.state === 'failed' ? 0 : 1, { volume: v.path, state: v.state }])),
  foreshadow_store_volume_free_bytes: gauge('Free space of the volume.', ['volume'], (s) => s.store.volumes.map((v): Sample => [v.freeBytes, { volume: v.path }])),
  foreshadow_bus_dropped_total: counter('Messages between brain and edge that were dropped.', [], one((s) => s.bus.dropped)),
} as const satisfies Readonly<Record<`foreshadow_${string}`, Metric>>;

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}

export class MetricsPage {
  readonly #registry = new Registry();
  readonly #fill: ((status: Status) => void)[] = [];

  constructor() {
    for (const [name, metric] of Object.entries<Metric>(metrics)) this.#fill.push(this.#register(name, metric));
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  render(status: Status): Promise<string> {
    for (const fill of this.#fill) fill(status);
    return this.#registry.metrics();
  }

  #register(name: string, metric: Metric): (status: Status) => void {
    const facts = { name, help: metric.help, labelNames: [...metric.labels], registers: [this.#registry] };
    const made = metric.kind === 'counter' ? new Counter(facts) : new Gauge(facts);
    return (status) => {
      made.reset();
      // A metric without labels shows 0 after `reset`; one that is not known is taken out.
      if (metric.labels.length === 0) made.remove();
      for (const [value, labels] of metric.read(status)) if (value !== undefined) made.inc({ ...labels }, value);
    };
  }
}
