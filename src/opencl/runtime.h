/* What the runtime's own files share: platform.c, backend.c, memory.c, program.c, cache.c, probe.c,
 * launch.c. */
#ifndef CAIRN_OPENCL_RUNTIME_H
#define CAIRN_OPENCL_RUNTIME_H

#include "opencl/opencl.h"

/* platform.c: the driver's list; the handles behind "opencl:P.D". */
cairn_status ocl_list(void (*each)(void *context, const struct cairn_device_info *info),
                      void *context);
cairn_status ocl_device_at(int platform_index, int device_index, cl_platform_id *platform,
                           cl_device_id *device);

/* backend.c: everything but the probe: context, queue, limits. */
cairn_status ocl_open_plain(const struct cairn_device_info *info,
                            const struct cairn_device_options *options,
                            struct ocl_backend **backend);
void ocl_close(struct cairn_backend *backend);

/* memory.c */
cairn_status ocl_alloc(struct cairn_backend *backend, size_t bytes, struct cairn_buffer **buffer);
void ocl_release(struct cairn_backend *backend, struct cairn_buffer *buffer);
cairn_status ocl_write(struct cairn_backend *backend, struct cairn_buffer *buffer, size_t offset,
                       const void *data, size_t bytes);
cairn_status ocl_read(struct cairn_backend *backend, struct cairn_buffer *buffer, size_t offset,
                      void *data, size_t bytes);
cairn_status ocl_copy(struct cairn_backend *backend, struct cairn_buffer *to, size_t to_offset,
                      struct cairn_buffer *from, size_t from_offset, size_t bytes);
cairn_status ocl_fill(struct cairn_backend *backend, struct cairn_buffer *buffer, size_t offset,
                      size_t bytes, uint32_t pattern);

/* source.c: a kernel file with its headers in place, in memory from malloc: each from the folder
 * `over` where that has it (NULL: none), else from CAIRN_KERNEL_DIR, or embedded without one. */
cairn_status ocl_source_text(const char *over, const char *file, char **text, size_t *size);

/* Whether a folder can be laid over the kernels: CAIRN_NOT_FOUND where it is not there,
 * CAIRN_INVALID where it has none of their files, or a .cl that is none of them. */
cairn_status ocl_source_check(const char *folder);

/* Of the kernels, and of the files here that launch them. */
cairn_status ocl_source_digest(char digest[65]);
extern const char ocl_sources_digest[65]; /* of those that the program was built from */

/* keep.c: blanks the kernels of a source that `names` (" a b ") does not have. */
void ocl_source_keep(char *text, const char *names);
int ocl_names_have(const char *names, const char *name);

/* cache.c: binaries on disk. Load gives an unbuilt program or NULL; store says nothing of failures.
 */
cairn_status ocl_cache_key(const struct ocl_backend *be, const char *source, size_t size,
                           const char *options, char key[65]);
cl_program ocl_cache_load(const struct ocl_backend *be, const char *key);
void ocl_cache_store(const struct ocl_backend *be, cl_program program, const char *key);

/* The same in steps: an entry as it lies in its file, in memory from malloc (NULL: the device gives
 * no binary), a program of it, and writing it (0: it could not be). takes: whether anything can be
 * written. */
char *ocl_cache_take(const struct ocl_backend *be, cl_program program, const char *key,
                     size_t *size);
cl_program ocl_cache_program(const struct ocl_backend *be, const char *key, const char *data,
                             size_t size);
int ocl_cache_keep(const char *key, const char *data, size_t size);
int ocl_cache_takes(void);

/* program.c */
struct ocl_kernel {
    struct ocl_kernel *next_name, *next_handle;
    struct ocl_program *program;
    char *name;
    cl_kernel kernel;
    size_t group;         /* CL_KERNEL_WORK_GROUP_SIZE */
    cl_ulong local_bytes; /* CL_KERNEL_LOCAL_MEM_SIZE */
};

#define OCL_OPTIONS 1024
void ocl_full_options(const struct ocl_backend *be, const char *options, char *text, size_t size);

/* Builds a program in this process; `options` are the full ones. */
cairn_status ocl_program_from_source(struct ocl_backend *be, const char *file, const char *options,
                                     const char *source, size_t size, cl_program *program);

/* Builds a program that the binary cache gave; releases it and returns 0 if its device does not
 * take it after all. */
int ocl_program_build(struct ocl_backend *be, cl_program program, const char *options);

/* Takes a built program that has these kernels of the file (names NULL: all). */
cairn_status ocl_program_add(struct ocl_backend *be, const char *file, const char *options,
                             const char *names, cl_program program, struct ocl_program **added);

/* The record of a kernel that ocl_kernel() gave. */
struct ocl_kernel *ocl_kernel_record(struct ocl_backend *be, cl_kernel kernel);
void ocl_programs_release(
    struct ocl_backend *be); /* all kernels are gone; they are built anew when asked for */

/* probe.c: runs the cases on an open device, decides which integer versions its kernels need and
 * fills info's probe fields. A device that fails is no error: info.exact is 0 and probe_note tells
 * why. */
cairn_status ocl_probe(struct ocl_backend *be);

/* Runs operations of probe.h on the device: out[i] = op[i](a[i], b[i], c[i]), operands = {op, a, b,
 * c}. */
cairn_status ocl_probe_run(struct ocl_backend *be, int count, const uint32_t *const operands[4],
                           uint32_t *out);

/* gemm-clblast.c: lets go of CLBlast's programs, which hold the context. */
void ocl_clblast_release(struct ocl_backend *be);

/* compile.c: compiling ahead. While noting, ocl_kernel() gives what is not built yet to ocl_note(),
 * and nothing is enqueued. */
cairn_status ocl_notes(struct cairn_backend *backend, int on);
cairn_status ocl_compile(struct cairn_backend *backend, cairn_device_compiling *each,
                         void *context);
int ocl_noting(const struct ocl_backend *be);
cl_kernel ocl_note(struct ocl_backend *be, const char *file, const char *options, const char *name);
struct ocl_kernel *ocl_noted(struct ocl_backend *be, cl_kernel kernel); /* NULL: a built one */
void ocl_notes_free(struct ocl_backend *be);

/* Compiles a file as `count` programs side by side, each of the kernels that parts[i] (" a b ")
 * names. Like compiling ahead it is a hint. */
cairn_status ocl_compile_parts(struct ocl_backend *be, const char *file, const char *const *parts,
                               int count);

/* What a helper launches for the problem that runs now, "VARIANT PROBLEM" and the end of a line;
 * "" where none runs. From malloc; NULL: no memory. */
char *ocl_launch_line(const struct ocl_backend *be);
int ocl_launch_parse(const char *line, struct cairn_problem *problem, int *variant);

/* The variants of all these lines need what failed: others are chosen from now on. Returns 0 where
 * there is none for one of them, with the error set in any case. */
int ocl_launch_failed(struct ocl_backend *be, const char *lines, const char *how);

/* How many programs are compiled at a time. A simulator, which says that it is of every type, gets
 * one. */
int ocl_is_simulator(const struct ocl_backend *be);
int ocl_compile_threads(const struct ocl_backend *be, int jobs);

/* launch.c: device time of launches; collect needs backend->profile. */
cairn_status ocl_profile_create(struct ocl_profile **profile);
void ocl_profile_destroy(struct ocl_profile *profile);
cairn_status ocl_profile_collect(struct cairn_backend *backend);

/* roofline.c */
int64_t ocl_spin_floats(struct cairn_backend *backend);
cairn_status ocl_spin(struct cairn_backend *backend, struct cairn_buffer *out, int64_t rounds,
                      double *flops);
cairn_status ocl_stream(struct cairn_backend *backend, struct cairn_buffer *to,
                        struct cairn_buffer *from, size_t bytes);

/* own.c: kernels of somebody's own, see <cairn/own.h>. */
cairn_status ocl_own_kernel(struct cairn_backend *backend, const char *source, const char *options,
                            const char *name, struct cairn_kernel **kernel);
cairn_status ocl_own_launch(struct cairn_backend *backend, const struct cairn_kernel *kernel,
                            int dims, const size_t *global, const size_t *local,
                            const struct cairn_arg *args, int count);

/* functions.c */
cairn_status ocl_function(struct cairn_backend *backend, enum cairn_function function,
                          uint32_t first, uint32_t step, int64_t count, struct cairn_buffer *out);

/* Counts a command and hands over what was enqueued every so often, so that the device starts. */
void ocl_enqueued(struct ocl_backend *be);

#endif
