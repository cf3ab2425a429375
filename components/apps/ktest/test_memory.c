#include "ktest.h"
const struct test memory_tests[] = {{0}};
