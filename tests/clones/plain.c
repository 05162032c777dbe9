#define CLONE plain
#define REF_CLONES
#include "clones/clone.h"
#include "clones/sources.h"
