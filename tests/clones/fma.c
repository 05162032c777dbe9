#define CLONE fma
#if defined(__x86_64__)
#define REF_CLONES __attribute__((target("fma")))
#else
#define REF_CLONES
#endif
#include "clones/clone.h"
#include "clones/sources.h"
