/* Every OpenCL call of src/opencl: its signature, the errors that its specification lets it give,
 * and what it does to the ledger. sweep.py holds the names to the sources.
 *
 * STATUS(name, parameters, arguments, event, errors...)  gives a status; `event` is the cl_event *
 * that it may fill HANDLE(type, name, kind, parameters, arguments, errors...)  makes an object; its
 * last parameter is cl_int *error RELEASE(name, type, kind, errors...)  lets go of one: the real
 * one is always called, and then maybe called failed */
// clang-format off
STATUS(clGetPlatformIDs, (cl_uint n, cl_platform_id *p, cl_uint *c), (n, p, c), NULL,
       CL_OUT_OF_HOST_MEMORY, -1001)
STATUS(clGetPlatformInfo, (cl_platform_id p, cl_platform_info w, size_t s, void *v, size_t *r), (p, w, s, v, r), NULL,
       CL_OUT_OF_HOST_MEMORY, CL_INVALID_PLATFORM)
STATUS(clGetDeviceIDs, (cl_platform_id p, cl_device_type t, cl_uint n, cl_device_id *d, cl_uint *c), (p, t, n, d, c), NULL,
       CL_DEVICE_NOT_FOUND, CL_OUT_OF_RESOURCES)
STATUS(clGetDeviceInfo, (cl_device_id d, cl_device_info w, size_t s, void *v, size_t *r), (d, w, s, v, r), NULL,
       CL_OUT_OF_RESOURCES, CL_OUT_OF_HOST_MEMORY)
HANDLE(cl_context, clCreateContext, CONTEXT,
       (const cl_context_properties *p, cl_uint n, const cl_device_id *d, void (CL_CALLBACK *f)(const char *, const void *, size_t, void *), void *u, cl_int *error),
       (p, n, d, f, u, error), CL_OUT_OF_HOST_MEMORY, CL_DEVICE_NOT_AVAILABLE)
HANDLE(cl_command_queue, clCreateCommandQueue, QUEUE,
       (cl_context c, cl_device_id d, cl_command_queue_properties p, cl_int *error), (c, d, p, error),
       CL_OUT_OF_RESOURCES, CL_OUT_OF_HOST_MEMORY)
HANDLE(cl_mem, clCreateBuffer, BUFFER, (cl_context c, cl_mem_flags f, size_t s, void *h, cl_int *error), (c, f, s, h, error),
       CL_MEM_OBJECT_ALLOCATION_FAILURE, CL_OUT_OF_RESOURCES)
HANDLE(cl_program, clCreateProgramWithSource, PROGRAM,
       (cl_context c, cl_uint n, const char **t, const size_t *l, cl_int *error), (c, n, t, l, error),
       CL_OUT_OF_HOST_MEMORY, CL_OUT_OF_RESOURCES)
HANDLE(cl_program, clCreateProgramWithBinary, PROGRAM,
       (cl_context c, cl_uint n, const cl_device_id *d, const size_t *l, const unsigned char **b, cl_int *s, cl_int *error),
       (c, n, d, l, b, s, error), CL_INVALID_BINARY, CL_OUT_OF_RESOURCES)
STATUS(clBuildProgram,
       (cl_program p, cl_uint n, const cl_device_id *d, const char *o, void (CL_CALLBACK *f)(cl_program, void *), void *u),
       (p, n, d, o, f, u), NULL, CL_BUILD_PROGRAM_FAILURE, CL_OUT_OF_HOST_MEMORY)
STATUS(clGetProgramInfo, (cl_program p, cl_program_info w, size_t s, void *v, size_t *r), (p, w, s, v, r), NULL,
       CL_OUT_OF_HOST_MEMORY, CL_OUT_OF_RESOURCES)
STATUS(clGetProgramBuildInfo, (cl_program p, cl_device_id d, cl_program_build_info w, size_t s, void *v, size_t *r),
       (p, d, w, s, v, r), NULL, CL_OUT_OF_HOST_MEMORY, CL_OUT_OF_RESOURCES)
HANDLE(cl_kernel, clCreateKernel, KERNEL, (cl_program p, const char *k, cl_int *error), (p, k, error),
       CL_OUT_OF_HOST_MEMORY, CL_OUT_OF_RESOURCES)
STATUS(clGetKernelInfo, (cl_kernel k, cl_kernel_info w, size_t s, void *v, size_t *r), (k, w, s, v, r), NULL,
       CL_OUT_OF_HOST_MEMORY, CL_OUT_OF_RESOURCES)
STATUS(clSetKernelArg, (cl_kernel k, cl_uint i, size_t s, const void *v), (k, i, s, v), NULL,
       CL_OUT_OF_RESOURCES, CL_INVALID_ARG_SIZE)
STATUS(clGetKernelWorkGroupInfo, (cl_kernel k, cl_device_id d, cl_kernel_work_group_info w, size_t s, void *v, size_t *r),
       (k, d, w, s, v, r), NULL, CL_OUT_OF_RESOURCES, CL_OUT_OF_HOST_MEMORY)
STATUS(clEnqueueNDRangeKernel,
       (cl_command_queue q, cl_kernel k, cl_uint w, const size_t *o, const size_t *g, const size_t *l, cl_uint n, const cl_event *e, cl_event *event),
       (q, k, w, o, g, l, n, e, event), event, CL_OUT_OF_RESOURCES, CL_MEM_OBJECT_ALLOCATION_FAILURE, CL_INVALID_WORK_GROUP_SIZE)
STATUS(clEnqueueReadBuffer,
       (cl_command_queue q, cl_mem m, cl_bool b, size_t o, size_t s, void *h, cl_uint n, const cl_event *e, cl_event *event),
       (q, m, b, o, s, h, n, e, event), event, CL_OUT_OF_RESOURCES, CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST)
STATUS(clEnqueueWriteBuffer,
       (cl_command_queue q, cl_mem m, cl_bool b, size_t o, size_t s, const void *h, cl_uint n, const cl_event *e, cl_event *event),
       (q, m, b, o, s, h, n, e, event), event, CL_OUT_OF_RESOURCES, CL_MEM_OBJECT_ALLOCATION_FAILURE)
STATUS(clEnqueueCopyBuffer,
       (cl_command_queue q, cl_mem a, cl_mem b, size_t i, size_t o, size_t s, cl_uint n, const cl_event *e, cl_event *event),
       (q, a, b, i, o, s, n, e, event), event, CL_OUT_OF_RESOURCES, CL_MEM_COPY_OVERLAP)
STATUS(clFlush, (cl_command_queue q), (q), NULL, CL_OUT_OF_RESOURCES, CL_OUT_OF_HOST_MEMORY)
STATUS(clFinish, (cl_command_queue q), (q), NULL, CL_OUT_OF_RESOURCES, CL_INVALID_COMMAND_QUEUE)
STATUS(clWaitForEvents, (cl_uint n, const cl_event *e), (n, e), NULL,
       CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST, CL_OUT_OF_RESOURCES)
STATUS(clGetEventProfilingInfo, (cl_event e, cl_profiling_info w, size_t s, void *v, size_t *r), (e, w, s, v, r), NULL,
       CL_PROFILING_INFO_NOT_AVAILABLE, CL_OUT_OF_RESOURCES)
RELEASE(clReleaseContext, cl_context, CONTEXT, CL_OUT_OF_RESOURCES, CL_INVALID_CONTEXT)
RELEASE(clReleaseCommandQueue, cl_command_queue, QUEUE, CL_OUT_OF_RESOURCES, CL_INVALID_COMMAND_QUEUE)
RELEASE(clReleaseMemObject, cl_mem, BUFFER, CL_OUT_OF_RESOURCES, CL_INVALID_MEM_OBJECT)
RELEASE(clReleaseProgram, cl_program, PROGRAM, CL_OUT_OF_RESOURCES, CL_INVALID_PROGRAM)
RELEASE(clReleaseKernel, cl_kernel, KERNEL, CL_OUT_OF_RESOURCES, CL_INVALID_KERNEL)
RELEASE(clReleaseEvent, cl_event, EVENT, CL_OUT_OF_RESOURCES, CL_INVALID_EVENT)
// clang-format on
