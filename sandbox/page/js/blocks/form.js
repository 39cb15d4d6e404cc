// What a person has entered in a message's or view's elements, in the shape of Slack's `state.values`.

/** Element type → [the state's field, the element's initial field]. */
const FIELDS = {
  plain_text_input: ["value", "initial_value"],
  number_input: ["value", "initial_value"],
  email_text_input: ["value", "initial_value"],
  url_text_input: ["value", "initial_value"],
  static_select: ["selected_option", "initial_option"],
  radio_buttons: ["selected_option", "initial_option"],
  multi_static_select: ["selected_options", "initial_options"],
  checkboxes: ["selected_options", "initial_options"],
  datepicker: ["selected_date", "initial_date"],
  timepicker: ["selected_time", "initial_time"],
  datetimepicker: ["selected_date_time", "initial_date_time"],
  users_select: ["selected_user", "initial_user"],
  multi_users_select: ["selected_users", "initial_users"],
  channels_select: ["selected_channel", "initial_channel"],
  conversations_select: ["selected_conversation", "initial_conversation"],
};

export const isInput = (element) => Object.hasOwn(FIELDS, element?.type);

/** `{type, [field]: value}`: one element's entry in `state.values` and the tail of its action. */
export function stateOf(element, value) {
  const [field] = FIELDS[element.type];
  return { type: element.type, [field]: value };
}

/** The entries of one surface; they outlive a re-rendering of its blocks, as they do in Slack. */
export class Form {
  #entered = new Map();

  get(block, element) {
    const key = entryKey(block, element);
    const initial = element[FIELDS[element.type][1]] ?? (Array.isArray(emptyOf(element)) ? [] : null);
    return this.#entered.has(key) ? this.#entered.get(key) : initial;
  }

  set(block, element, value) {
    this.#entered.set(entryKey(block, element), value);
  }

  /** `{block_id: {action_id: {type, …}}}` of every input element in `blocks`, untouched ones included. */
  values(blocks) {
    const values = {};
    for (const block of blocks ?? []) {
      for (const element of elementsOf(block).filter(isInput)) {
        values[block.block_id] ??= {};
        values[block.block_id][element.action_id] = stateOf(element, this.get(block, element));
      }
    }
    return values;
  }
}

function elementsOf(block) {
  if (block.type === "input") return [block.element];
  if (block.type === "section") return block.accessory ? [block.accessory] : [];
  return block.type === "actions" ? (block.elements ?? []) : [];
}

function emptyOf(element) {
  return FIELDS[element.type][0].endsWith("s") ? [] : null;
}

const entryKey = (block, element) => `${block.block_id}\n${element.action_id}`;
