// What every view is made with.
export { html, render, useState, useEffect, useLayoutEffect, useRef, useMemo, useCallback } from './third_party/preact-htm.js';
