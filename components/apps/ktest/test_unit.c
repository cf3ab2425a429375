#include "ktest.h"
const struct test unit_tests[] = {{0}};
