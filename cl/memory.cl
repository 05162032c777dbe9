/* Filling memory: some devices fill slowly or wrongly by command, a kernel never does. */

/* words[offset + i] = pattern for i < count */
__kernel void fill(__global uint *words, ulong offset, long count, uint pattern)
{
    for (long i = (long)get_global_id(0); i < count; i += (long)get_global_size(0)) words[offset + i] = pattern;
}
