// What pages are made of.
import { isValidElement } from './preact.js';
import { h, tags } from './tags.js';
import { useEffect, useRef, useState } from './hooks.js';
import { useSpeech } from './language.js';
import { Icon } from './icons.js';

const { a, button, caption, dd, div, dl, dt, h1, h2, label, option, p, section, select, span, strong, table, tbody, td, tfoot, th, thead, tr } = tags;

/** A page: its heading takes the focus when it appears, so that a screen reader says where one is and Tab goes on into the page. */
export const Page = ({ title, lead, back, actions, children }) => {
  const heading = useRef(null);
  const { t } = useSpeech();
  useEffect(() => { document.title = `${title} · ${t('brand')}`; }, [title, t]);
  useEffect(() => { heading.current.focus({ preventScroll: true }); window.scrollTo(0, 0); }, []);
  return div({ class: 'page' },
    div({ class: 'page-head' },
      div(
        back && a({ class: 'back', href: back.href }, h(Icon, { name: 'back' }), back.text),
        h1({ tabindex: -1, ref: heading }, title),
        lead && p({ class: 'lead' }, lead)),
      actions && div({ class: 'row' }, actions)),
    children);
};

let headings = 0;

export const Card = ({ title, hint, kind = '', children }) => {
  const [id] = useState(() => `card-${++headings}`);
  return section({ class: `card ${kind}`, 'aria-labelledby': title ? id : undefined },
    title && div({ class: 'card-head' }, h2({ id }, title), hint && span({ class: 'hint' }, hint)),
    children);
};

/** One figure of a row: `exact` is shown when it is pointed at. */
export const Stat = ({ label, value, note, tone = '', exact }) => div({ class: `stat ${tone}` },
  dt(label),
  dd({ class: 'value', title: exact }, value),
  note && dd({ class: 'note' }, note));

/** Figures in a row: properties of Stat, or elements that show one. */
export const Stats = ({ of }) => dl({ class: 'stats' }, of.map((each) => isValidElement(each) ? each : h(Stat, { ...each, key: each.label })));

/** Terms and values; a value that is null or undefined is left out with its term. */
export const Facts = ({ of }) => dl({ class: 'facts' }, of
  .filter(([, value]) => value !== null && value !== undefined)
  .flatMap(([term, value]) => [dt(term), dd(value)]));

export const Badge = ({ tone = '', icon, children }) => span({ class: `badge ${tone}` }, icon && h(Icon, { name: icon }), children);

export const Empty = ({ title, children }) => div({ class: 'empty' }, strong(title), children && p(children));

/** What went wrong, in words; `again` tries once more. */
export const Failure = ({ error, again }) => {
  const { t, code } = useSpeech();
  const known = code('error', error.code ?? 'unknown');
  return div({ class: 'notice bad', role: 'alert' },
    h(Icon, { name: 'notice' }),
    div(
      p(strong(known === (error.code ?? 'unknown') ? t('error.unknown') : known)),
      error.message && p({ class: 'small', lang: 'en' }, error.message),
      error.requestId && p({ class: 'small soft' }, t('error.request', { id: error.requestId }))),
    again && button({ type: 'button', onClick: again }, h(Icon, { name: 'again' }), t('again')));
};

export const Waiting = () => {
  const { t } = useSpeech();
  return div({ class: 'waiting', role: 'status' }, t('waiting'));
};

/** Shows what `from` (of useLoaded) holds by `children(value)`. */
export const Loaded = ({ from, children }) => {
  if (from.value === undefined) return from.error ? h(Failure, { error: from.error, again: from.again }) : h(Waiting);
  return [from.error && h(Failure, { key: 'failure', error: from.error, again: from.again }), children(from.value)];
};

/**
 * A table. `columns` are `{ title, cell(row), end?, wide? }`; on a phone each row folds into a card whose cells name their columns,
 * unless `folds` is false. `total` is the last row's cells.
 */
export const Table = ({ label, columns, rows, keyOf, total, plain, folds = true }) =>
  div({ class: `table-wrap ${plain ? 'plain' : ''}`, ...(folds ? {} : { tabindex: 0, role: 'region', 'aria-label': label }) },
    table({ class: folds ? 'folds' : '' },
      caption({ class: 'unseen' }, label),
      thead(tr(columns.map((column) => th({ scope: 'col', class: column.end ? 'end' : '', key: column.title }, column.title)))),
      tbody(rows.map((row, index) => tr({ key: keyOf ? keyOf(row) : index },
        columns.map((column) => td({ class: column.end ? 'end' : '', 'data-label': column.title, key: column.title }, column.cell(row)))))),
      total && tfoot(tr(total.map((cell, index) =>
        td({ class: columns[index].end ? 'end' : '', 'data-label': columns[index].title, key: index }, cell))))));

/** One of several, as buttons: `options` are `[value, text]`. */
export const Choices = ({ label, options, value, onChoose }) =>
  div({ class: 'choices', role: 'group', 'aria-label': label }, options.map(([each, text]) =>
    button({ type: 'button', key: each, 'aria-pressed': String(each === value), onClick: () => onChoose(each) }, text)));

/** A choice that narrows a list: `options` are `[value, text]`, `all` is the text of no choice. */
export const Filter = ({ id, text, all, value, options, onChoose }) => div({ class: 'field' },
  label({ for: `filter-${id}` }, text),
  select({ id: `filter-${id}`, value, onChange: (event) => onChoose(event.target.value) },
    option({ value: '' }, all), options.map(([each, name]) => option({ value: each, key: each }, name))));

/** Shares of one, the first one stressed: `[{ name, share }]`. */
export const Bars = ({ of }) => {
  const { percent } = useSpeech();
  return div({ class: 'bars', role: 'list' }, of.map(({ name, share }, index) =>
    div({ class: `bar ${index === 0 ? 'first' : ''}`, role: 'listitem', key: name },
      span({ class: 'name' }, name),
      span({ class: 'share' }, percent(share)),
      div({ class: 'track', 'aria-hidden': 'true' }, div({ class: 'fill', style: { width: `${Math.max(0, Math.min(1, share)) * 100}%` } })))));
};
