#include "ktest.h"
const struct test argument_tests[] = {{0}};
