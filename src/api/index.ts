export { startApi, type ApiServer } from './server.ts';
export type { Status } from './status.ts';
