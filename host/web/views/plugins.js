// What this host was given to work with.
import { ask } from '../api.js';
import { visible, words } from '../format.js';
import { Answer, Empty, Fold, Heading, Line, Status, Text } from '../parts.js';
import { pages } from '../pages.js';
import { useQuery } from '../query.js';
import { html, useState } from '../view.js';
import { Icon } from '../shapes.js';

const kMost = 1000, kDrawn = 200;
const kEffects = { pure: 'changes nothing', idempotent: 'may be repeated', once: 'never repeated by itself' };

const Plugin = ({ plugin }) => html`<li class="card">
  <div class="approval-head"><p><strong><bdi>${visible(plugin.name)}</bdi></strong> <span class="faint number">${visible(plugin.version ?? '')}</span></p><${Status} state=${plugin.state} /></div>
  ${plugin.reason && html`<${Text} value=${plugin.reason} short=${600} label="why" />`}
  ${plugin.components.length > 0 && html`<ul class="plain-list">${plugin.components.map((each) => html`<li key=${`${each.kind} ${each.name}`}><span class="tag">${each.kind}</span> <strong class="mono"><bdi>${visible(each.name)}</bdi></strong> <span class="faint"><${Line} value=${each.summary} /></span></li>`)}</ul>`}
  <p class="faint small mono wrap">${visible(plugin.file)}</p>
</li>`;

function Tools() {
  const [text, setText] = useState('');
  const query = useQuery((signal) => pages('v1/tools?limit=1000', 'tools', kMost, signal), 'tools', ({ type }) => type.startsWith('plugin_'));
  const fit = (tools) => tools.filter((tool) => `${tool.name} ${tool.summary}`.toLowerCase().includes(text.toLowerCase()));
  return html`<section aria-labelledby="tools"><h2 id="tools">Tools</h2>
    <div class="filters" role="search"><label class="search"><${Icon} name="search" /><span class="unseen">Find tools</span><input type="search" placeholder="Find a tool" value=${text} onInput=${(event) => setText(event.currentTarget.value)} /></label></div>
    <${Answer} query=${query}>${({ tools, broken_toolsets: broken }) => html`
      ${broken?.map((each) => html`<div class="notice bad" key=${each.toolset}><p><strong>Toolset <bdi>${visible(each.toolset)}</bdi></strong> is not at work: ${visible(each.reason)}</p></div>`)}
      ${tools.length === 0 ? html`<${Empty} title="No tools"><p>Plugins bring them; agents can only answer.</p><//>` : html`<ul class="tools">${fit(tools).slice(0, kDrawn).map((tool) => html`<li key=${tool.name}>
        <p><strong class="mono"><bdi>${visible(tool.name)}</bdi></strong> <span class="tag" title=${kEffects[tool.effect]}>${words(tool.effect)}</span></p>
        <p class="faint">${visible(tool.summary)}</p><${Fold} title="Arguments"><${Text} value=${tool.schema} label=${`schema of ${tool.name}`} /><//></li>`)}</ul>
        ${fit(tools).length > kDrawn && html`<p class="faint">${fit(tools).length - kDrawn} more: look for a name.</p>`}`}`}<//></section>`;
}

export function Plugins() {
  const query = useQuery((signal) => ask('v1/plugins', { signal }), 'plugins', ({ type }) => type.startsWith('plugin_'));
  return html`<${Heading} title="Plugins & tools" />
    <p class="lead">Providers, stores and tools come as plugins. A broken one disables itself, never the host; the reason stands here.</p>
    <section aria-labelledby="plugins"><h2 id="plugins">Plugins</h2>
      <${Answer} query=${query}>${({ plugins }) => (plugins.length === 0 ? html`<${Empty} title="No plugins" />` : html`<ul class="stack two" aria-label="Plugins">${plugins.map((plugin) => html`<${Plugin} key=${plugin.file} plugin=${plugin} />`)}</ul>`)}<//></section>
    <${Tools} />`;
}
