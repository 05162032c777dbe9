/* Entries of the cache of kernels. One is handed to the driver only whole and with its own key; a
 * driver that is none stands behind it here. */
#include "fuzz.h"
#include "opencl/runtime.h"
#include <stdlib.h>
#include <string.h>

#define KEY "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEADER 152 /* CAIRNKRN, format, bytes of the owner, size, key, digest */

static const uint8_t *given;
static size_t given_size;

cl_program __wrap_clCreateProgramWithBinary(cl_context context, cl_uint count,
                                            const cl_device_id *devices, const size_t *sizes,
                                            const unsigned char **binaries, cl_int *states,
                                            cl_int *error);
cl_program __wrap_clCreateProgramWithBinary(cl_context context, cl_uint count,
                                            const cl_device_id *devices, const size_t *sizes,
                                            const unsigned char **binaries, cl_int *states,
                                            cl_int *error)
{
    (void)context;
    (void)devices;
    uint32_t owner = 0;
    memcpy(&owner, given + 12, sizeof owner);
    FUZZ_ASSERT(count == 1 && *sizes > 0 && *sizes + HEADER + owner == given_size);
    FUZZ_ASSERT(!memcmp(*binaries, given + HEADER, *sizes));
    FUZZ_ASSERT(!memcmp(given, "CAIRNKRN", 8) && !memcmp(given + 24, KEY, 64));
    fuzz_accept();
    *states = *error = CL_INVALID_BINARY;
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ocl_backend backend;
    static int ready;
    if (!ready) {
        setenv("XDG_CACHE_HOME", fuzz_folder(), 1);
        fuzz_unpack("cairn", (const uint8_t *)"=== kernels/x\n", 14);
        ready = 1;
    }
    given = data;
    given_size = size;
    fuzz_put("cairn/kernels/" KEY ".bin", data, size);
    FUZZ_ASSERT(ocl_cache_load(&backend, KEY) == NULL);
    return 0;
}
