/**
 * The admin listener: health, metrics, the REST API of `/api/v1`, and a page for people. Tells what its source gives and passes on what operators
 * order; decides nothing. Errors are RFC 9457 problem details.
 */
import { Hono } from 'hono';
import type { AdminToken, ListenAddress } from '../config/types.ts';
import { ForeshadowError, messageOf, type Log } from '../kernel/index.ts';
import { checkListen, hostAllowed } from './auth.ts';
import { addFeedRoutes, type FeedSource } from './feeds.ts';
import { addForecastRoutes, type ForecastSource } from './forecast.ts';
import { addGeneratorRoutes, type GeneratorSource } from './generator.ts';
import { fail, Guard } from './guard.ts';
import { MetricsPage } from './metrics.ts';
import { pageHeaders, renderPage } from './page.ts';
import { addShadowRoutes, type ShadowSource } from './shadows.ts';
import type { Status } from './status.ts';

export interface ApiSource {
  status(): Promise<Status>;
  /** Why the brain is not ready; undefined when it is. */
  notReady(): string | undefined;
  readonly shadows: ShadowSource;
  readonly feeds: FeedSource;
  readonly generator: GeneratorSource;
  readonly forecast: ForecastSource;
}

export interface ApiOptions {
  readonly listen: ListenAddress;
  readonly tokens: readonly AdminToken[];
  readonly source: ApiSource;
  readonly log: Log;
}

export interface ApiServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  setTokens(tokens: readonly AdminToken[]): void;
  close(): Promise<void>;
}

const requestBytesMax = 1024 * 1024;

export function startApi(options: ApiOptions): ApiServer {
  checkListen(options.listen, options.tokens);
  const state = { tokens: options.tokens };
  const app = createApp(options.source, () => state.tokens, options.log);
  const server = listen(options.listen, (request) => app.fetch(request));
  const close = (): Promise<void> => server.stop(true);
  return {
    url: server.url.origin,
    port: server.port ?? 0,
    setTokens(tokens) {
      checkListen(options.listen, tokens);
      state.tokens = tokens;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function listen(address: ListenAddress, fetch: (request: Request) => Response | Promise<Response>): Bun.Server<undefined> {
  try {
    return Bun.serve({ hostname: address.hostname, port: address.port, maxRequestBodySize: requestBytesMax, idleTimeout: 30, fetch });
  } catch (cause) {
    throw new ForeshadowError('listen-failed', {
      source: 'config', message: `the admin listener can not be opened on ${address.hostname}:${address.port}: ${messageOf(cause)}`,
      hint: 'is another Foreshadow running? choose another admin.listen', cause,
    });
  }
}

function createApp(source: ApiSource, tokens: () => readonly AdminToken[], log: Log): Hono {
  const app = new Hono();
  const metrics = new MetricsPage();
  const guard = new Guard(tokens, log);
  app.use(async (context, next) => {
    if (!hostAllowed(tokens(), context.req.header('host') ?? null)) {
      return fail(context, 403, 'Forbidden', 'without admin.tokens this listener answers to loopback names only');
    }
    await next();
    context.header('cache-control', 'no-store');
    context.header('x-content-type-options', 'nosniff');
    return undefined;
  });
  app.get('/livez', (context) => context.text('alive\n'));
  app.get('/readyz', (context) => {
    const why = source.notReady();
    return why === undefined ? context.text('ready\n') : fail(context, 503, 'Not ready', why);
  });
  app.get('/metrics', (context) => guard.read(context, async () => context.body(await metrics.render(await source.status()), 200, { 'content-type': metrics.contentType })));
  app.get('/api/v1/status', (context) => guard.read(context, async () => context.json(await source.status())));
  app.get('/', (context) => guard.read(context, async () => context.html(renderPage(await source.status()), 200, { ...pageHeaders })));
  addShadowRoutes(app, guard, source.shadows);
  addFeedRoutes(app, guard, source.feeds);
  addGeneratorRoutes(app, guard, source.generator);
  addForecastRoutes(app, guard, source.forecast);
  refuseOtherMethods(app);
  app.notFound((context) => fail(context, 404, 'Not Found', 'there is nothing of this name'));
  app.onError((error, context) => {
    log.error('api-failed', { path: context.req.path, problem: messageOf(error) });
    return fail(context, 500, 'Internal Server Error', 'see the log');
  });
  return app;
}

/** RFC 9110 §15.5.6: what exists says which methods it has. */
function refuseOtherMethods(app: Hono): void {
  const methods = new Map<string, Set<string>>();
  for (const { path, method } of app.routes) {
    if (method === 'ALL') continue;
    const known = methods.get(path) ?? new Set();
    methods.set(path, known.add(method));
  }
  for (const [path, known] of methods) {
    const allow = [...known].flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : method)).join(', ');
    app.all(path, (context) => {
      context.header('allow', allow);
      return fail(context, 405, 'Method Not Allowed', `this takes ${allow}`);
    });
  }
}
