// Elements by their names: `const { div, p } = tags; div({ class: 'card' }, p('text'))`. What JSX would compile to, without a compiler.
import { h, isValidElement } from './preact.js';

const isProperties = (value) => value !== null && typeof value === 'object' && !Array.isArray(value) && !isValidElement(value);

/** `tags.name(properties?, ...children)` is an element called `name`; properties may be left out. */
export const tags = new Proxy({}, {
  get: (_, name) => (...parts) => isProperties(parts[0]) ? h(name, ...parts) : h(name, null, ...parts),
});

export { h };
