import type { Suite } from '../suite.ts';
export const footprint: Suite = { name: 'footprint', about: '', async run() { return { numbers: {}, tables: [], missed: [] }; } };
