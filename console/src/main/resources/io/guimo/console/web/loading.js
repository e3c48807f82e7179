// Things that come from the server: on their way, here, or failed.
import { useCallback, useEffect, useRef, useState } from './hooks.js';

/**
 * Loads by `load(signal)` whenever one of `inputs` changes. While a reload is on its way, and when it fails, the last value stays.
 * Returns `{ value, error, busy, again }`; `value` is undefined before the first answer.
 */
export const useLoaded = (load, inputs) => {
  const [state, setState] = useState({ busy: true });
  const [round, setRound] = useState(0);
  const again = useCallback(() => setRound((last) => last + 1), []);
  useEffect(() => {
    const leaving = new AbortController();
    setState((last) => ({ value: last.value, busy: true }));
    load(leaving.signal).then(
      (value) => { if (!leaving.signal.aborted) setState({ value, busy: false }); },
      (error) => { if (!leaving.signal.aborted) setState((last) => ({ value: last.value, error, busy: false })); },
    );
    return () => leaving.abort();
  }, [...inputs, round]);
  return { ...state, again };
};

/** Runs `action` every `seconds` while the page can be seen. */
export const useEvery = (seconds, action) => {
  const latest = useRef(action);
  latest.current = action;
  useEffect(() => {
    const timer = setInterval(() => { if (!document.hidden) latest.current(); }, seconds * 1000);
    return () => clearInterval(timer);
  }, [seconds]);
};

/**
 * A list that comes part by part: `loadPart(after, signal)` returns `{ data, next_cursor }`, `after` being the cursor of the part before.
 * Starts again when one of `inputs` changes.
 */
export const useList = (loadPart, inputs) => {
  const [state, setState] = useState({ rows: undefined, busy: true });
  const current = useRef(null);
  const fetchPart = useCallback(async (rows, cursor) => {
    const { signal } = current.current;
    setState({ rows, cursor, busy: true });
    try {
      const part = await loadPart(cursor, signal);
      if (!signal.aborted) setState({ rows: [...(rows ?? []), ...part.data], cursor: part.next_cursor, busy: false });
    } catch (error) {
      if (!signal.aborted) setState({ rows, cursor, error, busy: false });
    }
  }, inputs);
  useEffect(() => {
    const leaving = current.current = new AbortController();
    fetchPart(undefined, null);
    return () => leaving.abort();
  }, inputs);
  return {
    rows: state.rows,
    error: state.error,
    busy: state.busy,
    more: state.cursor ? () => fetchPart(state.rows, state.cursor) : null,
    again: () => fetchPart(state.rows, state.cursor),
  };
};
