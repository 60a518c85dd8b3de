// A document of the API that a view shows, asked for again when events say that it has changed.
import { listen, connection } from './live.js';
import { useEffect, useRef, useState } from './view.js';

const kSettle = 250;      // ms; what changes many times in a row is asked for once
const kNotSooner = 1000;  // ms between two questions

// load(signal) answers the value; changes(event): whether it is another one now. {value, problem, reload}
export function useQuery(load, key, changes = () => false) {
  const [state, setState] = useState({ key: null, value: null, problem: null });
  const reload = useRef(() => {});
  useEffect(() => {
    let timer = null, busy = false, again = false, latest = 0;
    const stop = new AbortController();
    const run = async () => {
      timer = null;
      if (busy) return void (again = true);
      busy = true;
      latest = performance.now();
      try {
        const value = await load(stop.signal);
        if (!stop.signal.aborted) setState({ key, value, problem: null });
      } catch (problem) {
        if (!stop.signal.aborted) setState((before) => ({ key, value: before.key === key ? before.value : null, problem }));
      }
      busy = false;
      if (again && !stop.signal.aborted) again = false, soon();
    };
    const soon = () => { timer ??= setTimeout(run, Math.max(kSettle, latest + kNotSooner - performance.now())); };
    reload.current = run;
    run();
    const deaf = listen((event) => { if (changes(event)) soon(); });
    const back = connection.listen((now) => { if (now === 'live') soon(); });
    return () => (stop.abort(), clearTimeout(timer), deaf(), back());
  }, [key]);
  const current = state.key === key ? state : { value: null, problem: null };
  return { value: current.value, problem: current.problem, reload: () => reload.current() };
}
