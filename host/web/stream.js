// Server-sent events from a fetch, which can send a token in a header where an EventSource cannot.
const kSilence = 40_000;       // ms; the host gives a sign of life every 15 s
const kLongestEvent = 4 << 20; // characters

function readBlock(block, tell, mark) {
  let id = '', data = '';
  for (const line of block.split('\n')) {
    if (line.startsWith('id: ')) id = line.slice(4);
    else if (line.startsWith('data: ')) data += line.slice(6);
  }
  if (data) {
    let event = null;
    try { event = JSON.parse(data); } catch { /* what cannot be read is not shown */ }
    if (event) tell(event);
  }
  if (id) mark(id);
}

// Until the stream ends or falls silent. tell(event) for each; mark(id) where one could go on behind it.
export async function readStream(answer, stop, tell, mark = () => {}) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '', alarm;
  try {
    while (true) {
      clearTimeout(alarm);
      alarm = setTimeout(() => stop.abort(), kSilence);
      const { done, value } = await reader.read();
      if (done) return;
      rest += value;
      const blocks = rest.split('\n\n');
      rest = blocks.pop();
      for (const block of blocks) readBlock(block, tell, mark);
      if (rest.length > kLongestEvent) return;
    }
  } finally {
    clearTimeout(alarm);
  }
}
