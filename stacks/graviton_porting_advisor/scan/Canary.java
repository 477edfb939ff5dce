/** Has a native method and no library for any architecture: a scanner that does not report it does not work. */
public class Canary {
    /** Never called. */
    public native void sing();
}
