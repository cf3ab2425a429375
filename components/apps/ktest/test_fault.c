#include "ktest.h"
const struct test fault_tests[] = {{0}};
