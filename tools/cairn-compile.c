/* The helper that cairn has programs compiled by; see cairn_device_serve(). Not for use by hand. */
#include <cairn/device.h>

int main(void)
{
    return cairn_device_serve();
}
