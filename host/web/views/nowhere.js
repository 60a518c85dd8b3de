import { Empty, Heading } from '../parts.js';
import { html } from '../view.js';

export const Nowhere = () => html`<${Heading} title="Nothing here" /><${Empty} title="There is no such page."><p><a href="#/">To the fleet</a></p><//>`;
