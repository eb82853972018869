; A source for a project that is wrong elsewhere: it is never assembled.
