// The least that libvirt can execute.
int main(void) { return 0; }
