// What every game of the playground is played at.
import { createContext } from './preact.js';
import { useState } from './hooks.js';
import { tags } from './tags.js';
import { useSpeech } from './language.js';

const { div, label, option, select } = tags;

/**
 * `run(request)` sends one request of the customers' API with the visit's key and adds its price; `look(request)` sends one that is free;
 * `receive(requestId)` adds the price of a request that went through `look` and returns its receipt.
 */
export const Desk = createContext(null);

export const ModelChoice = ({ models, value, onChoose, always = false }) => {
  const { t } = useSpeech();
  const [id] = useState(() => `model-${Math.random().toString(36).slice(2)}`);
  if (models.length === 1 && !always) return null;
  return div({ class: 'field' }, label({ for: id }, t('playground.model')),
    select({ id, value, onChange: (event) => onChoose(event.target.value) }, models.map((model) => option({ value: model.name, key: model.name }, model.name))));
};
