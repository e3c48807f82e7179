// Talk with one language model, or with two side by side: each answer streams in, with its speed and its price.
import { useContext, useEffect, useRef, useState } from './hooks.js';
import { h, tags } from './tags.js';
import { useSpeech } from './language.js';
import { sum } from './format.js';
import { Card, Empty, Failure } from './parts.js';
import { Icon } from './icons.js';
import { Desk, ModelChoice } from './desk.js';

const { button, details, div, form, input, label, p, span, strong, summary, textarea } = tags;

const MOST_COLUMNS = 2;

/** What a number of the request may be; an empty field leaves the choice to the server. */
const numbers = [
  { name: 'temperature', min: 0, max: 2, step: 0.1, value: '0.7' },
  { name: 'top_p', min: 0.05, max: 1, step: 0.05, value: '' },
  { name: 'max_tokens', min: 1, max: 8192, step: 1, value: '256' },
  { name: 'seed', min: 0, max: 2 ** 31 - 1, step: 1, value: '' },
];

let columnsMade = 0;
const newColumn = (model) => ({ id: ++columnsMade, model, turns: [] });

export const Chat = ({ models }) => {
  const { t } = useSpeech();
  const desk = useContext(Desk);
  const [columns, setColumns] = useState(() => [newColumn(models[0].name)]);
  const [text, setText] = useState('');
  const [system, setSystem] = useState('');
  const [settings, setSettings] = useState(() => Object.fromEntries(numbers.map(({ name, value }) => [name, value])));
  const running = useRef(new Set());
  useEffect(() => () => running.current.forEach((each) => each.abort()), []);
  const busy = columns.some(({ turns }) => turns.at(-1)?.state === 'running');

  const changeColumn = (id, change) => setColumns((all) => all.map((each) => each.id === id ? { ...each, ...change(each) } : each));
  const changeTurn = (id, number, change) => changeColumn(id, ({ turns }) => ({
    turns: turns.map((turn, index) => index === number ? { ...turn, ...change(turn) } : turn),
  }));

  const ask = async (column, question) => {
    const number = column.turns.length;
    const messages = [
      ...(system.trim() ? [{ role: 'system', content: system.trim() }] : []),
      ...column.turns.filter(({ answer }) => answer).flatMap((turn) => [
        { role: 'user', content: turn.question }, { role: 'assistant', content: turn.answer }]),
      { role: 'user', content: question },
    ];
    const request = { model: column.model, messages, stream_options: { include_usage: true } };
    for (const { name } of numbers) if (settings[name] !== '') request[name] = Number(settings[name]);
    changeColumn(column.id, ({ turns }) => ({ turns: [...turns, { question, answer: '', state: 'running', pieces: 0, beganAt: performance.now() }] }));
    const stop = new AbortController();
    running.current.add(stop);
    let requestId = null;
    let state = 'done';
    try {
      await desk.look((api) => api.chat(request, {
        signal: stop.signal,
        onBegin: (id) => { requestId = id; },
        onChunk: (chunk) => changeTurn(column.id, number, (turn) => {
          const choice = chunk.choices?.[0];
          const piece = choice?.delta?.content ?? '';
          return {
            answer: turn.answer + piece,
            pieces: turn.pieces + (piece ? 1 : 0),
            firstAt: turn.firstAt ?? (piece ? performance.now() : undefined),
            lastAt: piece ? performance.now() : turn.lastAt,
            finish: choice?.finish_reason ?? turn.finish,
            usage: chunk.usage ?? turn.usage,
          };
        }),
      }));
    } catch (error) {
      state = stop.signal.aborted ? 'stopped' : 'failed';
      if (state === 'failed') changeTurn(column.id, number, () => ({ error }));
    } finally {
      running.current.delete(stop);
    }
    changeTurn(column.id, number, () => ({ state }));
    if (!requestId) return;
    try {
      const receipt = await desk.receive(requestId);
      changeTurn(column.id, number, () => ({ receipt }));
    } catch (error) {
      // an answer without a receipt is shown as one: its price is not known here
      changeTurn(column.id, number, (turn) => ({ error: turn.error ?? error }));
    }
  };

  const send = (event) => {
    event.preventDefault();
    const question = text.trim();
    if (!question || busy) return;
    setText('');
    columns.forEach((column) => ask(column, question));
  };
  const compare = () => {
    const other = models.find(({ name }) => name !== columns[0].model) ?? models[0];
    setColumns((all) => [...all, newColumn(other.name)]);
  };

  return div({ class: 'stack tight' },
    div({ class: 'columns' }, columns.map((column) => h(Column, {
      key: column.id, column, models, kind: columns.length > 1 ? 'half' : '',
      onModel: (model) => changeColumn(column.id, () => ({ model, turns: [] })),
      onClose: columns.length > 1 && !busy ? () => setColumns((all) => all.filter(({ id }) => id !== column.id)) : null,
    }))),
    h(Card, {},
      form({ class: 'stack tight', onSubmit: send },
        div({ class: 'field' },
          label({ for: 'chat-text' }, t('chat.ask')),
          textarea({
            id: 'chat-text', rows: 3, value: text, placeholder: t('chat.example'), maxlength: 20_000,
            onInput: (event) => setText(event.target.value),
            onKeyDown: (event) => { if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) send(event); },
          })),
        div({ class: 'row apart' },
          div({ class: 'row' },
            busy
              ? button({ type: 'button', onClick: () => running.current.forEach((each) => each.abort()) }, h(Icon, { name: 'cross' }), t('chat.stop'))
              : button({ type: 'submit', class: 'primary', disabled: !text.trim() }, t('chat.send')),
            button({ type: 'button', class: 'quiet', disabled: busy, onClick: () => setColumns((all) => all.map(({ model }) => newColumn(model))) }, t('chat.anew'))),
          columns.length < MOST_COLUMNS && button({ type: 'button', disabled: busy, onClick: compare }, t('chat.compare'))),
        details({ class: 'chat-settings' },
          summary(t('chat.settings')),
          div({ class: 'stack tight' },
            div({ class: 'field' },
              label({ for: 'chat-system' }, t('chat.system')),
              textarea({ id: 'chat-system', rows: 2, value: system, onInput: (event) => setSystem(event.target.value) })),
            div({ class: 'row' }, numbers.map(({ name, min, max, step }) => div({ class: 'field', key: name },
              label({ for: `chat-${name}` }, t(`chat.${name}`)),
              input({
                id: `chat-${name}`, type: 'number', min, max, step, value: settings[name],
                onInput: (event) => setSettings((all) => ({ ...all, [name]: event.target.value })),
              })))))))));
};

const Column = ({ column, models, kind, onModel, onClose }) => {
  const { t, money } = useSpeech();
  const end = useRef(null);
  const receipts = column.turns.map(({ receipt }) => receipt).filter(Boolean);
  useEffect(() => { end.current?.scrollTo({ top: end.current.scrollHeight }); }, [column.turns]);
  return h(Card, { kind },
    div({ class: 'stack tight' },
      div({ class: 'row apart' },
        h(ModelChoice, { models, value: column.model, onChoose: onModel, always: true }),
        div({ class: 'row' },
          receipts.length > 0 && span({ class: 'small soft' },
            t('chat.price-so-far', { price: money(sum(receipts.map(({ amount }) => amount)), receipts[0].currency) })),
          onClose && button({ type: 'button', class: 'quiet', onClick: onClose, 'aria-label': t('chat.close') }, h(Icon, { name: 'cross' })))),
      column.turns.length === 0 ? h(Empty, { title: t('chat.empty') })
        : div({ class: 'turns', ref: end, 'aria-live': 'polite', tabindex: 0 }, column.turns.map((turn, index) => h(Turn, { key: index, turn })))));
};

const Turn = ({ turn }) => {
  const { t } = useSpeech();
  return div({ class: 'turn' },
    p({ class: 'said' }, turn.question),
    turn.answer && p({ class: 'answered' }, turn.answer),
    turn.state === 'running' && !turn.answer && p({ class: 'small soft' }, t('chat.reading')),
    turn.error && h(Failure, { error: turn.error }),
    h(Measure, { turn }));
};

/** Tokens, speed and price of an answer; while it streams, what has come so far. */
const Measure = ({ turn }) => {
  const { t, count, number, seconds, money } = useSpeech();
  if (!turn.pieces && !turn.usage) return null;
  const tokens = turn.usage?.completion_tokens ?? turn.pieces;
  const between = (turn.lastAt - turn.firstAt) / 1000;
  const parts = [
    turn.usage && t('chat.read', { tokens: count(turn.usage.prompt_tokens) }),
    turn.usage?.prompt_tokens_details?.cached_tokens > 0 && t('chat.cached', { tokens: count(turn.usage.prompt_tokens_details.cached_tokens) }),
    t('chat.written', { tokens: count(tokens) }),
    turn.firstAt && t('chat.first', { time: seconds((turn.firstAt - turn.beganAt) / 1000) }),
    between > 0 && tokens > 1 && t('chat.speed', { speed: number((tokens - 1) / between, 1) }),
    turn.finish === 'length' && t('chat.cut'),
    turn.state === 'stopped' && t('chat.stopped'),
  ].filter(Boolean);
  return p({ class: 'small soft measure' }, parts.join(' · '),
    turn.receipt && [' · ', strong({ key: 'price' }, money(turn.receipt.amount, turn.receipt.currency))]);
};
