#include "ktest.h"
const struct test life_tests[] = {{0}};
