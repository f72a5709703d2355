// The smallest program that libvirt can execute.
int main(void) { return 0; }
