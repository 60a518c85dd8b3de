int nothing_to_see_here(void);
__attribute__((visibility("default"))) int nothing_to_see_here(void) { return 0; }
