#include "ktest.h"
const struct test device_tests[] = {{0}};
