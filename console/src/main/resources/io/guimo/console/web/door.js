// Log in by the owner's key.
import { h, tags } from './tags.js';
import { useEffect, useRef, useState } from './hooks.js';
import { useSpeech } from './language.js';
import { Icon, Mark } from './icons.js';
import { ownerApi } from './api.js';
import { Failure } from './parts.js';

const { button, div, footer, form, h1, input, label, main, p } = tags;

export const Door = ({ expired, languageSwitch, onEnter }) => {
  const { t } = useSpeech();
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const field = useRef(null);
  useEffect(() => { document.title = `${t('door.title')} · ${t('brand')}`; }, [t]);
  useEffect(() => { field.current.focus(); }, []);

  const enter = async (event) => {
    event.preventDefault();
    const key = field.current.value.trim();
    if (!key) {
      field.current.focus();
      return;
    }
    setBusy(true);
    setError(null);
    try {
      await ownerApi(key, () => {}).models();
      onEnter(key);
    } catch (refusal) {
      setBusy(false);
      setError(refusal);
      field.current.select();
    }
  };

  return div({ class: 'door' },
    main({ class: 'card door-card' },
      h1({ class: 'brand' }, h(Mark), t('brand')),
      p({ class: 'soft' }, t('door.lead')),
      expired && !error && div({ class: 'notice', role: 'status' }, h(Icon, { name: 'notice' }), p(t('door.expired'))),
      form({ onSubmit: enter },
        div({ class: 'field' },
          label({ for: 'owner-key' }, t('door.key')),
          input({
            id: 'owner-key', type: 'password', ref: field, autocomplete: 'off', spellcheck: false, 'aria-describedby': 'owner-key-place',
            'aria-invalid': error ? 'true' : undefined,
          }),
          p({ class: 'small soft', id: 'owner-key-place' }, t('door.place'))),
        error && h(Failure, { error }),
        button({ type: 'submit', class: 'primary', disabled: busy }, busy ? t('door.entering') : t('door.enter')))),
    footer(languageSwitch));
};
