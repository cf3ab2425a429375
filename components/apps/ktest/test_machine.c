#include "ktest.h"
const struct test machine_tests[] = {{0}};
