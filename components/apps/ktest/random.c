#include "ktest.h"
void random_phase(void) {}
