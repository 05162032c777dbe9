#define CLONE avx512
#if defined(__x86_64__)
#define REF_CLONES __attribute__((target("avx512f")))
#else
#define REF_CLONES
#endif
#include "clones/clone.h"
#include "clones/sources.h"
