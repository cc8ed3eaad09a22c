// Finding what listens in here without having been declared.
struct group;
struct options;

// From now on what starts to listen has a way in, and what stops has none.
void discover(const struct options *options, struct group *group);
