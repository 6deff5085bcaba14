import type { Suite } from '../suite.ts';
export const cpu: Suite = { name: 'cpu', about: '', async run() { return { numbers: {}, tables: [], missed: [] }; } };
