#include "ktest.h"
const struct test time_tests[] = {{0}};
