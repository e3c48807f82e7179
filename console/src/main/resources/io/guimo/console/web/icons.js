// Small line drawings on a 24 × 24 grid; decoration only, so hidden from screen readers.
import { tags } from './tags.js';

const { svg, path } = tags;

const drawings = {
  overview: 'M4 13h6V4H4zM14 20h6v-9h-6zM4 20h6v-3H4zM14 7h6V4h-6z',
  models: 'M12 3l8 4.5v9L12 21l-8-4.5v-9zM12 12l8-4.5M12 12v9M12 12L4 7.5',
  playground: 'M9 3h6M10 3v6l-5.5 9.5A1.7 1.7 0 0 0 6 21h12a1.7 1.7 0 0 0 1.5-2.5L14 9V3M7.5 15h9',
  usage: 'M6 3h12v18l-3-2-3 2-3-2-3 2zM9 8h6M9 12h6',
  invoices: 'M14 3H7a1 1 0 0 0-1 1v16a1 1 0 0 0 1 1h10a1 1 0 0 0 1-1V7zM14 3v4h4M9 12h6M9 16h4',
  economics: 'M4 20V4M4 20h16M7 16l4-5 3 3 5-7',
  language: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18',
  leave: 'M14 4H6a1 1 0 0 0-1 1v14a1 1 0 0 0 1 1h8M10 12h10M17 8.5l3.5 3.5-3.5 3.5',
  photo: 'M4 6h4l1.5-2h5L16 6h4a1 1 0 0 1 1 1v11a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1zM12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8z',
  search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5L20 20',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  cross: 'M6 6l12 12M18 6L6 18',
  notice: 'M12 8v5M12 16.5v.01M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z',
  back: 'M19 12H5M11 6l-6 6 6 6',
  download: 'M12 4v11M7.5 11l4.5 4.5 4.5-4.5M5 20h14',
  print: 'M7 8V3h10v5M7 17H4V9h16v8h-3M7 14h10v7H7z',
  again: 'M19 12a7 7 0 1 1-2.1-5M19 3v4.5h-4.5',
};

export const Icon = ({ name }) => svg({ class: 'icon', viewBox: '0 0 24 24', 'aria-hidden': 'true' }, path({ d: drawings[name] }));

/** Scale: three bars that grow, in a square. */
export const Mark = () => svg({ viewBox: '0 0 32 32', 'aria-hidden': 'true' },
  path({ d: 'M8 0h16a8 8 0 0 1 8 8v16a8 8 0 0 1-8 8H8a8 8 0 0 1-8-8V8a8 8 0 0 1 8-8z', fill: '#0b6b58' }),
  path({ d: 'M8 18h4v7H8zM14 13h4v12h-4zM20 7h4v18h-4z', fill: '#fff' }));
