/// Floats that live as long as the process.
///
/// - Parameter count: The number of floats.
/// - Returns: Memory aligned to a cache line, filled with numbers in `-0.5 ..< 0.5`.
func buffer(_ count: Int) -> UnsafeMutablePointer<Float> {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1) * 4, alignment: 64)
    let floats = memory.bindMemory(to: Float.self, capacity: count)
    var generator = SystemRandomNumberGenerator()
    for index in 0..<count { floats[index] = Float.random(in: -0.5..<0.5, using: &generator) }
    return floats
}
