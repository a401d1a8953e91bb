#include <oneapi/dnnl/dnnl.h>

void omp_set_num_threads(int threads);
