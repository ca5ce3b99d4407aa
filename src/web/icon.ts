/** The page's icon in the tabs of browsers: an arrow that goes back, on the page's orange. */
export const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<rect width="32" height="32" rx="7" fill="#e6522c"/>
<path d="M9 7v7h7M9.5 13.5a8.5 8.5 0 1 1-1.2 6" fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round" stroke-linejoin="round"/>
</svg>
`;
