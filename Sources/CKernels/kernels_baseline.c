#include <math.h>
#include <stdlib.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF
#define SN_SET 0
#define SN_TABLE sn_kernels_baseline
#include "table.h"
