package journal

func child() {}
